import Verification

/// How some rollouts were judged under one policy.
public struct VerdictTally: Sendable, Hashable, Codable {
    /// Rollouts of accepted groups.
    public private(set) var accepted = 0
    /// Rejected rollouts, by the check that decided.
    public private(set) var rejected: [String: Int] = [:]
    /// Rollouts without a verdict: the verifier's report could not be used.
    public private(set) var inconclusive = 0

    /// Nothing judged yet.
    public init() {}

    mutating func note(_ verdict: Verdict, times: Int = 1) {
        switch verdict {
        case .accepted: accepted += times
        case .rejected(let rejection): rejected[rejection.check, default: 0] += times
        case .inconclusive: inconclusive += times
        }
    }

    /// Adds the rollouts of another tally.
    public mutating func merge(_ other: VerdictTally) {
        accepted += other.accepted
        inconclusive += other.inconclusive
        rejected.merge(other.rejected, uniquingKeysWith: +)
    }

    /// All rollouts.
    public var total: Int { accepted + inconclusive + rejected.values.reduce(0, +) }
    /// How many were accepted.
    public var acceptance: Proportion { Proportion(accepted, of: total) }
    /// How many were rejected by any check.
    public var rejection: Proportion { Proportion(rejected.values.reduce(0, +), of: total) }
}
