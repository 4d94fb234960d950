/// The order in which a group is judged: cheap first, and no replay before everything cheap has passed.
public enum Checks {
    /// What needs nothing but the payload and the lease.
    public static let submission: [any SubmissionCheck] = [
        VersionCheck(), LeaseCheck(), StalenessCheck(), WeightsCheck(), AssignmentCheck(), SampleCountCheck(),
        VocabularyCheck(), TerminationCheck(), LogProbabilityRangeCheck(), ProofStructureCheck(),
    ]

    /// What compares with a replay.
    ///
    /// Commitments come first: only under equal rows does a different log-probability mean forgery.
    public static let replay: [any ReplayCheck] = [
        CommitmentCheck(), ToplocCheck(), LogProbabilityCheck(), SamplingCheck(), MarginCheck(), EndCheck(),
        ProbabilityShapeCheck(), CopyCheck(),
    ]

    /// Runs every cheap check.
    ///
    /// - Returns: the first rejection, or nil if the group may be sent to a verifier.
    public static func examine(_ evidence: GroupEvidence, terms: LeaseTerms, rules: AuditRules) -> Rejection? {
        for check in submission {
            do throws(Rejection) {
                try check.examine(evidence, terms, rules)
            } catch {
                return error
            }
        }
        return nil
    }

    /// Judges a group by a verifier's replay; repeats the cheap checks, so that a verdict never rests on their order.
    public static func judge(
        _ evidence: GroupEvidence, terms: LeaseTerms, rules: AuditRules, replay result: ReplayResult
    ) -> Verdict {
        if let rejection = examine(evidence, terms: terms, rules: rules) { return .rejected(rejection) }
        if let fault = ReportShape.fault(in: result, for: evidence, rules) { return .inconclusive(fault) }
        var statistics = AuditStatistics()
        for check in replay {
            do throws(Rejection) {
                try check.compare(evidence, with: result, rules, into: &statistics)
            } catch {
                return .rejected(error)
            }
        }
        return .accepted(statistics)
    }
}
