import Synchronization

/// When something last moved; touched from any thread.
final class ProgressMark: Sendable {
    private let start = ContinuousClock.now
    private let nanoseconds = Atomic<Int64>(0)

    func touch() {
        let elapsed = (ContinuousClock.now - start).components
        nanoseconds.store(elapsed.seconds * 1_000_000_000 + elapsed.attoseconds / 1_000_000_000, ordering: .relaxed)
    }

    var last: ContinuousClock.Instant { start + .nanoseconds(nanoseconds.load(ordering: .relaxed)) }
}

/// The operation did not move for too long; the caller turns it into a sentence.
struct StalledError: Error {}

/// Runs an operation and cancels it when it has not touched its mark for a while, or when its time is up.
///
/// - Throws: ``StalledError``, or what the operation throws.
func withStallLimit<Value: Sendable>(
    _ limit: Duration, total: Duration, _ operation: @escaping @Sendable (ProgressMark) async throws -> Value
) async throws -> Value {
    let mark = ProgressMark()
    let end = ContinuousClock.now + total
    return try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await operation(mark) }
        group.addTask {
            while true {
                let due = min(mark.last + limit, end)
                if due <= .now { throw StalledError() }
                try await Task.sleep(until: due, clock: .continuous)
            }
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

/// Waiting times that double with every failure, with a random part so that many clients do not return together.
struct Backoff: Sendable {
    private var step: Duration
    private let first: Duration
    private let longest: Duration

    init(first: Duration = .milliseconds(50), longest: Duration = .seconds(2)) {
        self.first = first
        self.longest = longest
        step = first
    }

    mutating func next() -> Duration {
        let wait = step * Double.random(in: 0.5...1)
        step = min(step * 2, longest)
        return wait
    }

    mutating func reset() { step = first }
}
