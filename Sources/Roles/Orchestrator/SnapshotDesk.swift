import Logging
import Orchestration
import Synchronization

/// Has a snapshot of the run written now and then, beside the turns of the orchestrator.
///
/// The state is a value: a task of its own encodes and writes the one that it was given while the run goes on. A
/// snapshot that fails is logged, and the next one is tried when it is due.
final class SnapshotDesk: Sendable {
    private struct Work {
        var due: UInt64
        var task: Task<Void, Never>?
    }

    private let database: RunDatabase
    private let interval: @Sendable (DurableState) -> UInt64
    private let log: Logger
    private let work: Mutex<Work>

    /// Takes care of a run that was just restored.
    ///
    /// - Parameter interval: How many facts after a snapshot of this state the next one is due.
    init(
        database: RunDatabase, restored: RunDatabase.Restored, log: Logger,
        interval: @escaping @Sendable (DurableState) -> UInt64 = { SnapshotPieces.interval(after: $0) }
    ) {
        self.database = database
        self.interval = interval
        self.log = log
        work = Mutex(Work(due: (restored.snapshot ?? 0) + interval(restored.state)))
    }

    /// Begins a snapshot if one is due and none is being written.
    ///
    /// - Precondition: All facts that the state covers are in the journal.
    func offer(_ state: DurableState) {
        work.withLock { work in
            guard state.factCount >= work.due, work.task == nil else { return }
            work.due = state.factCount + interval(state)
            work.task = Task.detached(priority: .utility) { [self] in
                await write(state)
                self.work.withLock { $0.task = nil }
            }
        }
    }

    /// Waits for the snapshot that is being written, if one is.
    func finish() async { await work.withLock { $0.task }?.value }

    /// Gives up the snapshot that is being written, if one is.
    func stop() async {
        work.withLock { $0.task }?.cancel()
        await finish()
    }

    private func write(_ state: DurableState) async {
        do {
            try await database.keep(snapshotOf: state)
            log.debug("a snapshot of the run is kept", metadata: ["facts": "\(state.factCount)"])
        } catch is CancellationError {
        } catch {
            log.warning(
                "a snapshot of the run could not be kept; the journal is whole, a restart only reads more of it",
                metadata: ["reason": "\(error)"])
        }
    }
}
