import Foundation

/// A thread of its own for an actor that computes.
///
/// Swift's cooperative pool has as many threads as the machine has cores; one long forward pass there would keep
/// sockets and timers waiting. An actor on this executor computes on its own thread, and its callers only await.
final class ComputeExecutor: SerialExecutor, @unchecked Sendable {
    // Unchecked, because the compiler cannot see that `jobs` and `isStopped` are touched with `condition` held only.
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    /// Starts the thread; it lives until ``stop()``.
    init(name: String) {
        let thread = Thread { [self] in loop() }
        thread.name = name
        thread.stackSize = 16 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Ends the thread when its queue is empty; the actor must not be used afterwards.
    func stop() {
        condition.withLock {
            isStopped = true
            condition.signal()
        }
    }

    private func loop() {
        while true {
            condition.lock()
            while jobs.isEmpty, !isStopped { condition.wait() }
            let taken = jobs
            jobs.removeAll(keepingCapacity: true)
            condition.unlock()
            if taken.isEmpty { return }
            for job in taken { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
