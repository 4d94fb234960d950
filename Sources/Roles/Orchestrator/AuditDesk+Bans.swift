import Identity
import Messages
import Orchestration
import Verification

/// What a ban rests on that no audit led to: what the worker signed, and what it was leased.
extension AuditDesk {
    /// A file with which anybody can repeat a cheap check that banned a worker, or see the two groups it signed.
    ///
    /// - Parameters:
    ///   - finding: What the worker was banned for.
    ///   - group: What was just handed in; it was not journaled.
    ///   - earlier: The group that the lease had already, for an equivocation.
    /// - Throws: Where the lab's environment cannot say what was leased.
    func evidence(
        ofBan finding: Finding, group: RunDatabase.StoredGroup, leaseID: UInt64,
        lease: (record: LeaseRecord, version: PolicyVersion), earlier: RunDatabase.StoredGroup?
    ) throws -> RunDatabase.StoredEvidence {
        let terms = try terms(leaseID: leaseID, record: lease.record, version: lease.version)
        let rules = rules(for: lease.record.engine)
        let rejection: Rejection
        if let earlier {
            rejection = .equivocation(first: earlier.hash, second: group.hash)
        } else if let payload = try? Wire.GroupPayload(strict: group.payload), let evidence = GroupEvidence(payload),
            let found = Checks.examine(evidence, terms: terms, rules: rules)
        {
            rejection = found
        } else {
            rejection = Rejection(
                check: finding.check, reason: finding.reason, expected: "a group payload",
                found: "\(group.payload.count) other bytes")
        }
        let bundle = EvidenceBundle(
            payload: group.payload, signature: group.signature,
            earlier: earlier.map { EvidencePayload(bytes: $0.payload, signature: $0.signature) }, terms: terms,
            rules: EvidenceRules(rules), finding: .rejected(rejection), reports: [])
        return RunDatabase.StoredEvidence(
            hash: group.hash, finding: finding, report: [], verifier: "",
            bundle: bundle.sealed(by: context.keys.signing).bytes, isJournaled: false)
    }
}
