import Foundation

/// Threads of their own for tasks whose code may compute long or block.
///
/// Swift's cooperative pool has as many threads as the machine has cores; a grader that blocks one of them would keep
/// sockets, timers and the orchestrator's turns waiting. Tasks that prefer this executor run on its threads.
final class ThreadedExecutor: TaskExecutor, @unchecked Sendable {
    // Unchecked, because the compiler cannot see that `jobs` and `isStopped` are touched with `condition` held only.
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    /// Starts the threads; they live until ``stop()``.
    init(name: String, threads: Int) {
        for _ in 0..<max(1, threads) {
            let thread = Thread { [self] in loop() }
            thread.name = name
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    /// Ends the threads once their queue is empty; no task may prefer this executor afterwards.
    func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    private func loop() {
        while true {
            condition.lock()
            while jobs.isEmpty, !isStopped { condition.wait() }
            let job = jobs.isEmpty ? nil : jobs.removeFirst()
            condition.unlock()
            guard let job else { return }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
