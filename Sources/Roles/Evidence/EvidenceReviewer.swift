import Identity
import Messages
import Tensors
import Transformer
import Verification

/// Repeats the judgement of an evidence file on this machine, with nothing but the file and a model directory.
public struct EvidenceReviewer: Sendable {
    private let kernels: Kernels
    private let pool: ComputePool
    private let cacheBytes: Int

    /// A reviewer whose key-value cache takes at most so many bytes.
    public init(kernels: Kernels, pool: ComputePool, cacheBytes: Int = 1 << 30) {
        self.kernels = kernels
        self.pool = pool
        self.cacheBytes = cacheBytes
    }

    /// Looks at a file: signatures, the checks without a replay, then the replay.
    ///
    /// - Parameters:
    ///   - bundle: As it was read; nothing in it is believed.
    ///   - lab: The lab's key, from its join address. Without it no finding is confirmed that rests on the lease's terms.
    ///   - weights: Loads the weights that the caller names; only asked for when everything before them is in order.
    /// - Throws: What `weights` throws. A group that cannot be replayed is an outcome, not an error.
    public func review(
        _ bundle: EvidenceBundle, lab: PublicKey? = nil, weights: () throws -> ModelWeights
    ) throws -> EvidenceReview {
        var review = EvidenceReview(bundle, lab: lab)
        let terms = bundle.terms
        review.isSigned = terms.workerKey.isValidSignature(
            bundle.signature, domain: SignatureDomain.group, bundle.payload)
        review.isEarlierSigned = bundle.earlier.map {
            terms.workerKey.isValidSignature($0.signature, domain: SignatureDomain.group, $0.bytes)
        }
        if review.claimsEquivocation {
            review.concludeEquivocation()
            return review
        }
        let reports = bundle.reports.map { report in
            (verifier: report.verifier, replay: Self.replay(report, group: terms.groupID))
        }
        review.reports = reports.map { .init(verifier: $0.verifier, isSigned: $0.replay != nil, isEqual: nil) }
        if let reason = Self.obstacle(bundle, isSigned: review.isSigned) {
            review.outcome = .unknown(reason)
            return review
        }
        guard let payload = try? Wire.GroupPayload(strict: bundle.payload), let evidence = GroupEvidence(payload) else {
            review.conclude(
                .rejected(
                    Rejection(
                        check: "schema", reason: "The signed group cannot be decoded.", expected: "a group payload",
                        found: "\(bundle.payload.count) other bytes")))
            return review
        }
        let loaded = try weights()
        guard loaded.weightsHash == terms.weightsHash else {
            review.outcome = .unknown(
                "the model directory holds weights \(loaded.weightsHash.hex), and the group was leased under "
                    + "\(terms.weightsHash.hex) (version \(terms.policyVersion))")
            return review
        }
        let rules = AuditRules(
            schemaVersion: bundle.rules.schemaVersion, arithmeticVersion: bundle.rules.arithmeticVersion,
            vocabularySize: loaded.configuration.vocabularySize, hiddenSize: loaded.configuration.hiddenSize,
            policy: bundle.rules.policy)
        if let rejection = Checks.examine(evidence, terms: terms, rules: rules) {
            review.conclude(.rejected(rejection))
            return review
        }
        let replayer = Replayer(
            weights: loaded, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: cacheBytes, configuration: loaded.configuration))
        do throws(ReplayError) {
            let replay = try replayer.replay(ReplayRequest(evidence, terms: terms))
            review.reports = reports.map { report in
                .init(
                    verifier: report.verifier, isSigned: report.replay != nil,
                    isEqual: report.replay.map { $0 == replay })
            }
            review.conclude(Checks.judge(evidence, terms: terms, rules: rules, replay: replay))
        } catch {
            review.outcome = .unknown("\(error)")
        }
        return review
    }

    /// What stands in the way of any conclusion, before the weights are looked at.
    private static func obstacle(_ bundle: EvidenceBundle, isSigned: Bool) -> String? {
        if bundle.hasValidSeal == false {
            return "the seal does not hold: the file was changed after it was made"
        }
        guard isSigned else {
            return "the worker's signature over the group does not hold, so nothing ties the group to a worker"
        }
        guard bundle.rules.schemaVersion == SchemaVersion.current else {
            return "the group is written in wire schema \(bundle.rules.schemaVersion), and this program reads "
                + "\(SchemaVersion.current)"
        }
        guard bundle.rules.arithmeticVersion == ArithmeticVersion.current else {
            return "the replay was made under arithmetic \(bundle.rules.arithmeticVersion), and this program computes "
                + "\(ArithmeticVersion.current)"
        }
        return nil
    }

    /// What a verifier reported; nil where it cannot be read or the signature does not hold.
    private static func replay(_ report: EvidenceReport, group: Hash256) -> ReplayResult? {
        guard let message = try? Wire.AuditReport(strict: report.bytes) else { return nil }
        let signed = SignedContent.audit(
            auditID: message.auditID, groupID: group.bytes,
            samplesHash: SHA256.hash(SignedContent.auditSamples(message.samples)).bytes)
        guard report.verifier.isValidSignature([UInt8](message.signature), domain: SignatureDomain.audit, signed)
        else { return nil }
        return ReplayResult(message.samples)
    }
}
