import Foundation

/// Threads of their own for tasks whose code may compute long or block.
///
/// Swift's cooperative pool has as many threads as the machine has cores; a grader that blocks one of them would keep
/// sockets, timers and the orchestrator's turns waiting. Tasks that prefer this executor run on its threads.
final class ThreadedExecutor: TaskExecutor, @unchecked Sendable {
    // Unchecked, because the compiler cannot see that the variables are touched with `condition` held only.
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isStopped = false
    private var threads = 0
    private var busy = 0
    private let name: String

    /// Threads that ``relieve()`` starts at most; beyond that something is wrong that more threads do not cure.
    private static let maximumThreads = 256

    /// Starts the threads; they live until ``stop()``.
    init(name: String, threads: Int) {
        self.name = name
        condition.withLock { for _ in 0..<max(1, threads) { startThread() } }
    }

    /// Starts one more thread where all are busy, for the jobs behind one that may never end.
    func relieve() {
        condition.withLock {
            if busy >= threads, threads < Self.maximumThreads, !isStopped { startThread() }
        }
    }

    private func startThread() {
        threads += 1
        let thread = Thread { [self] in loop() }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
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
            busy += job == nil ? 0 : 1
            condition.unlock()
            guard let job else { return }
            job.runSynchronously(on: asUnownedTaskExecutor())
            condition.withLock { busy -= 1 }
        }
    }
}
