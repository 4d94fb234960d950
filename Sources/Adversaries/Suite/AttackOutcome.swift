public import Verification

/// What came of one attack.
public struct AttackOutcome: Sendable {
    /// The attack's name.
    public let name: String
    /// What it does.
    public let summary: String
    /// Rollouts that the attack left as they were.
    public internal(set) var unchanged = 0
    /// How effective rollouts were judged under `exact`.
    public internal(set) var exact = VerdictTally()
    /// The same under `toploc` with its standard thresholds.
    public internal(set) var toploc = VerdictTally()
    /// The same under `toploc` with calibrated thresholds.
    public internal(set) var calibrated = VerdictTally()
    /// Effective rollouts that each replay check alone would reject under calibrated thresholds.
    public internal(set) var alone: [String: Int] = [:]
    /// What an audit measures of the effective rollouts that no cheap check rejects.
    public internal(set) var measured: [AuditStatistics] = []

    init(name: String, summary: String) {
        self.name = name
        self.summary = summary
    }

    /// Rollouts that were tried.
    public var rollouts: Int { unchanged + effective }
    /// Rollouts that differ from the honest ones.
    public var effective: Int { exact.total }
    /// The margins of all measured tokens, as a worker's tally would hold them.
    public var margins: MarginTally {
        measured.reduce(into: MarginTally()) { $0.merge($1.margins) }
    }
}
