/// A check that needs no replay: the orchestrator runs all of these before it spends a verifier's time.
public protocol SubmissionCheck: Sendable {
    /// The name of the check, kebab-case; one that looks at several things may reject under finer names.
    var name: String { get }

    /// Looks at one submission; the check before it in ``Checks/submission`` have passed.
    ///
    /// - Throws: the rejection.
    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection)
}

/// A check against a verifier's replay, whose shape is known to fit.
public protocol ReplayCheck: Sendable {
    /// The name under which it rejects, kebab-case.
    var name: String { get }

    /// Compares one submission with its replay and adds what it measured.
    ///
    /// - Throws: the rejection.
    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection)
}
