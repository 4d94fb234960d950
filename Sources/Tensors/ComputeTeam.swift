import CKernels
import Glibc
import Synchronization

/// The shared state of a pool's threads.
///
/// A call publishes its body and task count, then a ticket: generation in the high half, next task in the low half.
/// Threads claim tasks by advancing the ticket; a late thread of an earlier generation fails to, because the whole
/// ticket has to match. The body is read only after a successful claim, and the publisher cannot return before that
/// claim is finished, so the pointer is alive.
// Sendable without a check: `body` is ordered by the ticket as described; everything else is atomic or a lock.
final class ComputeTeam: @unchecked Sendable {
    private typealias Body = (Int, Int) -> Void

    // Long enough to bridge the gap between two kernels of a step, short enough to leave a busy machine alone.
    private static let spins = 1500

    private let ticket = Atomic<UInt64>(0)
    private let tasks = Atomic<Int>(0)
    private let pending = Atomic<Int>(0)
    private let parkedWorkers = Atomic<Int>(0)
    private let callerWaits = Atomic<Bool>(false)
    private let stopped = Atomic<Bool>(false)
    private var body: UnsafePointer<Body>?

    private let turn = ThreadLock()
    private let workers = ThreadLock()
    private let completion = ThreadLock()

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
            tasks.store(count, ordering: .relaxed)
            pending.store(count, ordering: .relaxed)
            let generation = ticket.load(ordering: .relaxed) >> 32 &+ 1
            ticket.store(generation << 32, ordering: .sequentiallyConsistent)
            let parked = parkedWorkers.load(ordering: .sequentiallyConsistent)
            if parked > 0 {
                workers.locked {
                    for _ in 0..<min(parked, count - 1) { workers.wakeOne() }
                }
            }
            claimTasks(as: 0)
            awaitCompletion()
            self.body = nil
        }
    }

    private func claimTasks(as index: Int) {
        var current = ticket.load(ordering: .acquiring)
        while true {
            let task = Int(current & 0xffff_ffff)
            guard task < tasks.load(ordering: .relaxed) else { return }
            let (claimed, original) = ticket.compareExchange(
                expected: current, desired: current + 1, ordering: .acquiringAndReleasing)
            guard claimed else {
                current = original
                continue
            }
            body?.pointee(task, index)
            if pending.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
                callerWaits.load(ordering: .sequentiallyConsistent)
            {
                completion.locked { completion.wakeAll() }
            }
            current = ticket.load(ordering: .acquiring)
        }
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
        while awaitGeneration(after: seen) {
            seen = ticket.load(ordering: .acquiring) >> 32
            claimTasks(as: index)
        }
    }

    /// Waits for a generation other than `seen`; false when the team stops.
    private func awaitGeneration(after seen: UInt64) -> Bool {
        for _ in 0..<Self.spins {
            if stopped.load(ordering: .acquiring) { return false }
            if ticket.load(ordering: .acquiring) >> 32 != seen { return true }
            ck_pause()
        }
        return workers.locked {
            parkedWorkers.add(1, ordering: .sequentiallyConsistent)
            defer { parkedWorkers.subtract(1, ordering: .sequentiallyConsistent) }
            while !stopped.load(ordering: .sequentiallyConsistent) {
                if ticket.load(ordering: .sequentiallyConsistent) >> 32 != seen { return true }
                workers.wait()
            }
            return false
        }
    }
}
