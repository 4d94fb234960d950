/// What k attempts at each of many tasks say, as `apus eval` prints it.
public struct PassRates: Sendable, Hashable {
    /// Mean over every attempt.
    public let mean: Double
    /// Standard deviation of the tasks' means.
    public let spread: Double
    /// Attempts at each task.
    public let attempts: Int

    private let solved: [Int]

    /// Rates from the rewards of every task's attempts; nil unless each task has the same number, at least one.
    ///
    /// - Parameters:
    ///   - rewards: One row per task.
    ///   - threshold: From which reward on an attempt counts as a success.
    public init?(rewards: [[Double]], threshold: Double = 1) {
        guard let attempts = rewards.first?.count, attempts > 0, rewards.allSatisfy({ $0.count == attempts }) else {
            return nil
        }
        self.attempts = attempts
        solved = rewards.map { row in row.count { $0 >= threshold } }
        let means = rewards.map { $0.reduce(0, +) / Double(attempts) }
        let mean = means.reduce(0, +) / Double(means.count)
        self.mean = mean
        spread = (means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count)).squareRoot()
    }

    /// pass@k: the chance that at least one of k attempts succeeds, 1 − C(n−c, k) / C(n, k), averaged over tasks.
    public func passAt(_ k: Int) -> Double {
        average { solved in 1 - Self.ratioOfChoices(attempts - solved, attempts, k) }
    }

    /// pass^k: the chance that all of k attempts succeed, C(c, k) / C(n, k), averaged over tasks.
    public func passAll(_ k: Int) -> Double {
        average { solved in Self.ratioOfChoices(solved, attempts, k) }
    }

    private func average(_ body: (Int) -> Double) -> Double {
        solved.reduce(0) { $0 + body($1) } / Double(solved.count)
    }

    /// C(a, k) / C(n, k) as a product, which cannot overflow.
    private static func ratioOfChoices(_ a: Int, _ n: Int, _ k: Int) -> Double {
        guard k > 0 else { return 1 }
        guard k <= a else { return 0 }
        return (0..<k).reduce(1.0) { $0 * Double(a - $1) / Double(n - $1) }
    }
}
