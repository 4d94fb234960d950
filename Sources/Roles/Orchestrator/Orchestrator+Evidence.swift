import Foundation
import Identity
import Orchestration
import Verification

/// What speaks against a group is kept until it is decided whether it stands, then written down for others to re-check.
extension Orchestrator {
    /// Keeps the report behind a finding, or the evidence of a rejection that is final.
    func keepEvidence(_ fact: Fact) {
        switch fact {
        case .auditDisputed, .checkFailed:
            if let offered { turn.accusations.append(offered) }
        case .groupRejected(let group, _, let audit, _, _) where audit > 0: settleEvidence(group)
        case .acceptanceRevoked(let group, _): settleEvidence(group)
        default: break
        }
    }

    /// Keeps what a worker was banned for just now, where that was a group that it handed in and not an audit.
    func keepEvidence(
        ofBan worker: PublicKey, in facts: ArraySlice<Fact>, _ group: RunDatabase.StoredGroup, leaseID: UInt64,
        lease: (record: LeaseRecord, version: PolicyVersion)
    ) {
        for case .workerBanned(worker, let finding, _) in facts {
            do {
                var earlier: RunDatabase.StoredGroup?
                if case .submitted(let first) = lease.record.phase {
                    // It may have come in this very turn, which is not written yet.
                    earlier = try turn.groups.first { $0.hash == first } ?? database.group(first)
                    guard earlier != nil else {
                        throw RoleFailure(.fault, "The payload of group \(first.hex.prefix(12)) is gone.")
                    }
                }
                turn.evidence.append(
                    try desk.evidence(ofBan: finding, group: group, leaseID: leaseID, lease: lease, earlier: earlier))
            } catch {
                log.warning("evidence of a ban not kept", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Puts the reports against a group together: the one that was just taken in, and an earlier one.
    private func settleEvidence(_ group: Hash256) {
        do {
            let newest = offered.flatMap { $0.hash == group ? $0 : nil }
            let earlier =
                try turn.accusations.last { $0.hash == group && $0.verifier != newest?.verifier }
                ?? database.accusation(group).flatMap { $0.verifier == newest?.verifier ? nil : $0 }
            guard var evidence = newest ?? earlier else { return }
            if newest != nil, let earlier, let second = evidence.bundle, let first = earlier.bundle {
                var bundle = try EvidenceBundle(parsing: second)
                bundle.reports = try EvidenceBundle(parsing: first).reports + bundle.reports
                evidence.bundle = bundle.sealed(by: context.keys.signing).bytes
            }
            turn.evidence.append(evidence)
        } catch {
            log.warning("evidence not kept whole", metadata: ["reason": "\(error)"])
            if let offered, offered.hash == group { turn.evidence.append(offered) }
        }
    }

    /// Writes each settled rejection to `evidence/<group>.evidence`; a full disk costs the file, not the run.
    func exportEvidence(_ settled: [RunDatabase.StoredEvidence]) {
        let bundles = settled.compactMap { evidence in evidence.bundle.map { (evidence.hash, $0) } }
        guard !bundles.isEmpty else { return }
        let folder = EvidenceFolder(path: context.directory.evidence)
        do {
            for (group, bytes) in bundles { try folder.write(bytes, of: group) }
        } catch {
            log.warning("evidence not exported", metadata: ["reason": "\(error)"])
        }
        let removed = folder.prune { run.state.groups[$0] != nil }
        if !removed.isEmpty { log.info("\(removed.count) old evidence files removed") }
    }
}
