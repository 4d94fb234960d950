import Identity
import Messages
import Verification

/// Two groups for one lease: what was signed decides, without weights, reports or the lab's word.
extension EvidenceReview {
    /// Whether the finding is that the worker signed two groups for one lease.
    var claimsEquivocation: Bool {
        guard case .rejected(let rejection) = bundle.finding else { return false }
        return rejection.check == "equivocation"
    }

    /// Compares the two payloads: both signed by the key, both for the one lease of the one run, and not the same.
    mutating func concludeEquivocation() {
        outcome =
            if bundle.hasValidSeal == false {
                .unknown("the seal does not hold: the file was changed after it was made")
            } else if let earlier = bundle.earlier {
                judgement(of: earlier)
            } else {
                .unknown("equivocation rests on more than one group, and the file holds one")
            }
    }

    private func judgement(of earlier: EvidencePayload) -> Outcome {
        guard isSigned, isEarlierSigned == true else {
            return .refuted("the worker's signature over one of the two groups does not hold")
        }
        guard earlier.bytes != bundle.payload else { return .refuted("the two groups are one and the same") }
        guard let first = lease(earlier.bytes), let second = lease(bundle.payload) else {
            return .unknown("one of the two groups cannot be decoded in wire schema \(SchemaVersion.current)")
        }
        guard first == second else { return .refuted("the two groups are not for one lease of one run") }
        return .confirmed
    }

    /// Which lease of which run a payload says that it answers.
    private func lease(_ payload: [UInt8]) -> SignedLease? {
        guard let payload = try? Wire.GroupPayload(strict: payload), let group = GroupEvidence(payload) else {
            return nil
        }
        return SignedLease(run: group.runID, lease: group.leaseID)
    }

    private struct SignedLease: Hashable {
        let run: Hash256
        let lease: UInt64
    }
}
