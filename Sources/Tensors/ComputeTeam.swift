import CKernels
import Glibc
import Synchronization

/// The shared state of a pool's threads.
///
/// A call publishes its body and the number of tasks, then every thread's share of them, then the number of the call.
/// Threads run their own share and then help the others. The body is read only after a successful claim, and the
/// publisher cannot return before that claim is finished, so the pointer is alive.
// Sendable without a check: `body` is ordered by the claims as described; everything else is atomic or a lock.
final class ComputeTeam: @unchecked Sendable {
    private typealias Body = (Int, Int) -> Void

    // Long enough to bridge the gap between two kernels of a step, short enough to leave a busy machine alone.
    private static let spins = 1500

    private let shares: ComputeShares
    private let call = Atomic<UInt64>(0)
    private let pending = Atomic<Int>(0)
    private let parkedWorkers = Atomic<Int>(0)
    private let callerWaits = Atomic<Bool>(false)
    private let stopped = Atomic<Bool>(false)
    private var body: UnsafePointer<Body>?

    private let turn = ThreadLock()
    private let workers = ThreadLock()
    private let completion = ThreadLock()

    init(threads: Int) {
        shares = ComputeShares(threads)
    }

    /// Starts the thread with this index; it lives until `stop`.
    func start(_ index: Int) {
        ThreadLock.startThread { [self] in
            let state = ck_environment_enter()
            ComputeSeat.occupy(index, of: self) { work(index) }
            ck_environment_leave(state)
        }
    }

    /// Ends the threads; no call may be running.
    func stop() {
        stopped.store(true, ordering: .sequentiallyConsistent)
        workers.locked { workers.wakeAll() }
    }

    /// Runs `body` as thread 0 while no other caller does.
    func takeTurn(_ body: () -> Void) {
        turn.locked { ComputeSeat.occupy(0, of: self, body) }
    }

    /// Shares `count` tasks with the workers and returns when all are done.
    func share(_ count: Int, _ body: @escaping (Int, Int) -> Void) {
        withUnsafePointer(to: body) { pointer in
            self.body = pointer
            pending.store(count, ordering: .relaxed)
            for index in 0..<shares.count {
                shares[index].publish(Self.tasks(count, of: index, among: shares.count))
            }
            call.add(1, ordering: .sequentiallyConsistent)
            let parked = parkedWorkers.load(ordering: .sequentiallyConsistent)
            if parked > 0 {
                workers.locked {
                    for _ in 0..<min(parked, count - 1) { workers.wakeOne() }
                }
            }
            runTasks(as: 0)
            awaitCompletion()
            self.body = nil
        }
    }

    /// The tasks that thread `index` of `threads` is meant to run.
    static func tasks(_ count: Int, of index: Int, among threads: Int) -> Range<Int> {
        count * index / threads..<count * (index + 1) / threads
    }

    /// Runs the own share, then what others have not begun.
    private func runTasks(as index: Int) {
        var done = 0
        while let task = shares[index].takeFirst() ?? takeFromOthers(index) {
            body?.pointee(task, index)
            done += 1
        }
        guard done > 0, pending.subtract(done, ordering: .sequentiallyConsistent).newValue == 0,
            callerWaits.load(ordering: .sequentiallyConsistent)
        else { return }
        completion.locked { completion.wakeAll() }
    }

    private func takeFromOthers(_ index: Int) -> Int? {
        var fullest: (share: Int, count: Int)
        repeat {
            fullest = (index, 0)
            for other in 0..<shares.count {
                let left = shares[other].count
                if left > fullest.count { fullest = (other, left) }
            }
            if let task = shares[fullest.share].takeLast() { return task }
        } while fullest.count > 0
        return nil
    }

    private func awaitCompletion() {
        for _ in 0..<Self.spins {
            if pending.load(ordering: .acquiring) == 0 { return }
            ck_pause()
        }
        completion.locked {
            callerWaits.store(true, ordering: .sequentiallyConsistent)
            while pending.load(ordering: .sequentiallyConsistent) != 0 { completion.wait() }
            callerWaits.store(false, ordering: .sequentiallyConsistent)
        }
    }

    private func work(_ index: Int) {
        var seen: UInt64 = 0
        while awaitCall(after: seen) {
            seen = call.load(ordering: .acquiring)
            runTasks(as: index)
        }
    }

    /// Waits for a call other than `seen`; false when the team stops.
    private func awaitCall(after seen: UInt64) -> Bool {
        for _ in 0..<Self.spins {
            if stopped.load(ordering: .acquiring) { return false }
            if call.load(ordering: .acquiring) != seen { return true }
            ck_pause()
        }
        return workers.locked {
            parkedWorkers.add(1, ordering: .sequentiallyConsistent)
            defer { parkedWorkers.subtract(1, ordering: .sequentiallyConsistent) }
            while !stopped.load(ordering: .sequentiallyConsistent) {
                if call.load(ordering: .sequentiallyConsistent) != seen { return true }
                workers.wait()
            }
            return false
        }
    }
}
