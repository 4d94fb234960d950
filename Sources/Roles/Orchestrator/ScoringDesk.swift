import EnvironmentKit
import Identity
import Synchronization

/// Scores accepted groups on threads of its own, beside the orchestrator's turns.
///
/// Every group gets its result: its rewards, or after a deadline and a few attempts a fault. A fault is the lab's, never
/// a reward of 0 and never the worker's.
final class ScoringDesk: Sendable {
    /// A group to score.
    struct Job: Sendable {
        let subject: Subject
        let slot: UInt64
        let completions: [[Int32]]
    }

    /// What the rewards are for.
    enum Subject: Sendable, Hashable {
        /// An audit whose replay agrees.
        case audit(UInt64)
        /// A group that is not audited.
        case unaudited(Hash256)
    }

    /// What became of a group.
    enum Result: Sendable, Hashable {
        /// One reward per sample.
        case rewards([Float])
        /// The lab could not score it, for this reason.
        case fault(String)
    }

    /// Waits between attempts at one completion: a program that died is started again by the next attempt.
    private static let pauses: [Duration] = [.milliseconds(200), .seconds(1), .seconds(3)]

    private let tasks: TaskBook
    private let stopTokens: Set<Int32>
    private let timeout: Duration
    private let deliver: @Sendable (Subject, Result) -> Void
    private let width: Int
    private let executor: ThreadedExecutor
    private let state = Mutex(State())

    private struct State {
        var waiting: [Job] = []
        var running = 0
        var isStopped = false
    }

    /// A desk that delivers every job's result by its subject, in any order.
    init(
        tasks: TaskBook, stopTokens: Set<Int32>, timeout: Duration,
        deliver: @escaping @Sendable (Subject, Result) -> Void
    ) {
        self.tasks = tasks
        self.stopTokens = stopTokens
        self.timeout = timeout
        self.deliver = deliver
        width = min(max(1, tasks.environment.concurrentScores), 64)
        executor = ThreadedExecutor(name: "scoring", threads: width)
    }

    /// Queues a group; the run's pace bounds how many there are.
    func begin(_ job: Job) {
        let isNext = state.withLock { state in
            guard !state.isStopped else { return false }
            guard state.running < width else {
                state.waiting.append(job)
                return false
            }
            state.running += 1
            return true
        }
        if isNext { start(job) }
    }

    private func start(_ first: Job) {
        Task {
            var job: Job? = first
            while let current = job {
                deliver(current.subject, await score(current))
                job = state.withLock { state in
                    guard !state.waiting.isEmpty, !state.isStopped else {
                        state.running -= 1
                        return nil
                    }
                    return state.waiting.removeFirst()
                }
            }
        }
    }

    /// Drops what waits and ends the threads; what is being scored is left behind.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.waiting = []
        }
        executor.stop()
    }

    /// Races the scorer against the clock; a scorer that ignores its cancellation is left behind.
    private func score(_ job: Job) async -> Result {
        let (results, sink) = AsyncStream.makeStream(of: Result.self, bufferingPolicy: .bufferingOldest(1))
        let work = Task(executorPreference: executor) { [tasks, stopTokens] in
            sink.yield(await Self.rewards(job, tasks, stopTokens))
        }
        let clock = Task { [timeout, executor] in
            try await Task.sleep(for: timeout)
            // A scorer that never returns keeps its thread; the others must not wait for it.
            executor.relieve()
            sink.yield(.fault("the lab did not score the group within \(timeout / .seconds(1)) s"))
        }
        defer {
            work.cancel()
            clock.cancel()
        }
        var iterator = results.makeAsyncIterator()
        return await iterator.next() ?? .fault("the run stops")
    }

    private static func rewards(_ job: Job, _ tasks: TaskBook, _ stopTokens: Set<Int32>) async -> Result {
        var rewards: [Float] = []
        for completion in job.completions {
            var attempt = 0
            while true {
                do {
                    try Task.checkCancellation()
                    let reward = try await tasks.reward(slot: job.slot, tokens: completion, stopTokens: stopTokens)
                    // Finite as a binary32, in which it is stored and sent: the trainer would refuse the whole batch.
                    let narrow = Float(reward)
                    guard narrow.isFinite else { return .fault("the grader gave no finite reward") }
                    rewards.append(narrow)
                    break
                } catch {
                    guard attempt < pauses.count, !Task.isCancelled else {
                        return .fault("the lab could not score the group: \(error)")
                    }
                    try? await Task.sleep(for: pauses[attempt])
                    attempt += 1
                }
            }
        }
        return .rewards(rewards)
    }
}
