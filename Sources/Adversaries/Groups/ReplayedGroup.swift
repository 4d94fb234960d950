import Verification

/// Submits a finished group for another lease: as it is, or with the lease's names written into it.
struct ReplayedGroup: Attack {
    /// Whether the payload names the new lease.
    let isRelabelled: Bool

    var name: String { isRelabelled ? "relabelled-group" : "replayed-group" }
    var summary: String {
        isRelabelled
            ? "an older group of the same prompt under this lease's names" : "an older group, submitted again as it is"
    }
    var forges: Forgery { .report }

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let older = groups.map { group in
            var terms = group.terms
            terms.groupID = lab.groupID(Int(group.terms.leaseID), of: "older")
            return terms
        }
        return try zip(lab.generate(older), groups).map { finished, group in
            var evidence = finished
            guard isRelabelled else { return evidence }
            evidence.groupID = group.terms.groupID
            return evidence
        }
    }
}
