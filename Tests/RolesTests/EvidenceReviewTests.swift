import Generation
import Identity
import Messages
import Sampling
import Tensors
import Testing
import Transformer
import Verification

@testable import Roles

/// A verdict repeated from its file: confirmed, refuted, or a reason why neither.
@Suite struct EvidenceReviewTests {
    private let kernels: Kernels
    private let pool = ComputePool(threads: 1)
    private let weights: ModelWeights
    private let worker: SigningKey
    private let verifier: SigningKey
    private let lab: SigningKey
    private let run = SHA256.hash([4])

    init() throws {
        kernels = try .preferred()
        weights = try ModelWeights(
            master: ModelInitializer.random(ModelShape.nano.configuration, seed: 3), kernels: kernels, pool: pool)
        worker = try #require(SigningKey(seed: [UInt8](repeating: 1, count: 32)))
        verifier = try #require(SigningKey(seed: [UInt8](repeating: 2, count: 32)))
        lab = try #require(SigningKey(seed: [UInt8](repeating: 3, count: 32)))
    }

    private func terms(_ weightsHash: Hash256? = nil) -> LeaseTerms {
        LeaseTerms(
            runID: run, leaseID: 5, groupID: SHA256.hash([6]), attempt: 0, workerKey: worker.publicKey,
            policyVersion: 9, weightsHash: weightsHash ?? weights.weightsHash, environmentID: "digit-sort",
            environmentHash: SHA256.hash([8]), promptTokens: [50, 51, 62],
            parameters: SamplingParameters(samples: 2, maximumTokens: 40, stopTokens: [10]))
    }

    private func payload(_ terms: LeaseTerms) throws -> Wire.GroupPayload {
        let engine = GenerationEngine(
            weights: weights, kernels: kernels, pool: pool,
            context: GenerationContext(runID: run, workerKey: worker.publicKey),
            limits: GenerationLimits(sequences: 8, pages: 100))
        let request = GroupRequest(
            groupID: terms.groupID, promptTokens: terms.promptTokens, parameters: terms.parameters)
        try engine.add(request)
        var finished: [GroupResult] = []
        while finished.isEmpty { finished = try engine.step() }
        var lease = Wire.Lease()
        lease.leaseID = terms.leaseID
        lease.groupID = .init(terms.groupID.bytes)
        lease.version.number = terms.policyVersion
        lease.version.weightsHash = .init(terms.weightsHash.bytes)
        lease.environmentID = terms.environmentID
        lease.environmentHash = .init(terms.environmentHash.bytes)
        lease.promptTokens = terms.promptTokens.map(UInt32.init(bitPattern:))
        lease.sampling = terms.parameters.wire
        return try #require(HeldLease(lease)).payload(
            finished[0], run: run.bytes, worker: worker.publicKey, arithmeticVersion: ArithmeticVersion.current)
    }

    /// The file of a group that is an honest one, changed before it was signed.
    private func bundle(
        _ finding: EvidenceFinding, terms: LeaseTerms? = nil, edit: (inout Wire.GroupPayload) -> Void = { _ in },
        lie: (inout Wire.AuditReport) -> Void = { _ in }
    ) throws -> EvidenceBundle {
        let terms = terms ?? self.terms()
        var payload = try payload(terms)
        edit(&payload)
        let bytes = payload.signedBytes
        let evidence = try #require(GroupEvidence(payload))
        let replayer = Replayer(weights: weights, kernels: kernels, pool: pool, limits: ReplayLimits(pages: 100))
        var report = Wire.AuditReport()
        report.auditID = 77
        report.samples = try replayer.replay(ReplayRequest(evidence, terms: terms)).wire
        lie(&report)
        report.signature = .init(
            verifier.sign(
                domain: SignatureDomain.audit,
                SignedContent.audit(
                    auditID: 77, groupID: terms.groupID.bytes,
                    samplesHash: SHA256.hash(SignedContent.auditSamples(report.samples)).bytes)))
        return EvidenceBundle(
            payload: bytes, signature: worker.sign(domain: SignatureDomain.group, bytes), terms: terms,
            rules: EvidenceRules(
                schemaVersion: SchemaVersion.current, arithmeticVersion: ArithmeticVersion.current, policy: .exact),
            finding: finding,
            reports: [EvidenceReport(verifier: verifier.publicKey, bytes: [UInt8](try report.serializedData()))])
    }

    private func rejected(_ check: String, _ severity: Rejection.Severity = .softStrike) -> EvidenceFinding {
        .rejected(Rejection(check: check, reason: "So it was.", severity: severity, expected: "a", found: "b"))
    }

    private func review(
        _ bundle: EvidenceBundle, lab: PublicKey? = nil, with other: ModelWeights? = nil
    ) throws -> EvidenceReview {
        try EvidenceReviewer(kernels: kernels, pool: pool).review(
            EvidenceBundle(parsing: bundle.bytes), lab: lab
        ) { other ?? weights }
    }

    private static func forgeCommitment(_ payload: inout Wire.GroupPayload) {
        payload.samples[1].commitments[0][4] ^= 1
    }

    @Test func honestGroups() throws {
        let accepted = try review(bundle(.accepted).sealed(by: lab))
        #expect(accepted.outcome == .confirmed && accepted.outcome.exitCode == 0)
        #expect(accepted.reports == [.init(verifier: verifier.publicKey, isSigned: true, isEqual: true)])
        #expect(accepted.lines.last == "confirmed" && accepted.lines.contains { $0.contains(lab.publicKey.hex) })

        let framed = try review(bundle(rejected("commitment")))
        guard case .refuted(let reason) = framed.outcome else {
            Issue.record("\(framed.outcome)")
            return
        }
        #expect(reason.contains("commitment") && framed.outcome.exitCode == 1)
    }

    @Test func forgedGroups() throws {
        let caught = try review(bundle(rejected("commitment"), edit: Self.forgeCommitment))
        #expect(caught.outcome == .confirmed)
        guard case .rejected(let rejection)? = caught.judgement else {
            Issue.record("no judgement")
            return
        }
        #expect(rejection.check == "commitment" && rejection.place.sample == 1 && rejection.place.chunk == 0)
        #expect(caught.lines.contains { $0.contains("commitment, sample 1, chunk 0") })

        let missed = try review(bundle(.accepted, edit: Self.forgeCommitment))
        #expect(missed.outcome.exitCode == 1)
        // A mismatch is not the forgery that the lab claims, which would cost the stake.
        let exaggerated = try review(bundle(rejected("log-probability", .slash), edit: Self.forgeCommitment))
        #expect(exaggerated.outcome.exitCode == 1)
        let wrongPrompt = try review(
            bundle(rejected("prompt")) { $0.promptTokens[0] += 1 }.sealed(by: lab), lab: lab.publicKey)
        #expect(wrongPrompt.outcome == .confirmed, "found without a replay")
        #expect(wrongPrompt.reports.first?.isEqual == nil)
    }

    /// An honest group in a file whose terms somebody wrote anew: only the lab's seal says what was leased.
    @Test func seals() throws {
        var forged = try bundle(rejected("replayed-group"))
        forged.terms.groupID = SHA256.hash([7])
        let stranger = verifier
        let unknown: [(EvidenceBundle, PublicKey?)] = [
            (forged, nil), (forged, lab.publicKey), (forged.sealed(by: stranger), nil),
            (forged.sealed(by: stranger), lab.publicKey), (forged.sealed(by: lab), nil),
        ]
        for (file, key) in unknown {
            let review = try review(file, lab: key)
            #expect(review.outcome.exitCode == 2 && !review.isSealedByLab)
            #expect(review.lines.last?.contains("replayed-group rests on what the file says was leased") == true)
            if let seal = file.seal { #expect(review.lines.last?.contains(seal.key.hex) == true) }
        }
        let known = try review(forged.sealed(by: lab), lab: lab.publicKey)
        #expect(known.outcome == .confirmed && known.isSealedByLab)
        let other = try review(forged.sealed(by: stranger), lab: lab.publicKey)
        #expect(other.lines.contains { $0.contains("\(stranger.publicKey.hex), which is not the lab's") })
        // What the worker signed and the weights decide needs nobody's seal.
        let signed = try review(
            bundle(rejected("commitment"), edit: Self.forgeCommitment).sealed(by: stranger), lab: lab.publicKey)
        #expect(signed.outcome == .confirmed && !signed.isSealedByLab)
    }

    /// Under the lab's own terms the group is sound: nobody handed in another one's.
    @Test func replayedGroupThatIsNone() throws {
        let file = try bundle(rejected("replayed-group", .slash)).sealed(by: lab)
        #expect(try review(file, lab: lab.publicKey).outcome.exitCode == 1)
    }

    /// The same check, at the price of another: that is not what the lab's seal stands for.
    @Test func exaggeratedSeverity() throws {
        let file = try bundle(rejected("commitment", .slash), edit: Self.forgeCommitment).sealed(by: lab)
        let review = try review(file, lab: lab.publicKey)
        #expect(review.outcome.exitCode == 1)
        #expect(review.lines.last?.contains("the lab rejected the group by commitment") == true)
    }

    @Test func lyingVerifier() throws {
        let lying = try review(
            bundle(rejected("commitment")) { _ in
            } lie: {
                $0.samples[0].commitments[0][0] ^= 1
            })
        #expect(lying.outcome.exitCode == 1)
        #expect(lying.reports.first == .init(verifier: verifier.publicKey, isSigned: true, isEqual: false))

        var unsigned = try bundle(.accepted)
        unsigned.reports[0].bytes[unsigned.reports[0].bytes.count - 1] ^= 1
        #expect(try review(unsigned).reports.first?.isSigned == false)
    }

    @Test func whatCannotBeRechecked() throws {
        func reason(_ bundle: EvidenceBundle, with other: ModelWeights? = nil) throws -> String {
            let review = try review(bundle, with: other)
            #expect(review.outcome.exitCode == 2)
            guard case .unknown(let reason) = review.outcome else { return "" }
            #expect(review.lines.last?.hasPrefix("cannot be re-checked because ") == true)
            return reason
        }
        let other = try ModelWeights(
            master: ModelInitializer.random(ModelShape.nano.configuration, seed: 4), kernels: kernels, pool: pool)
        #expect(try reason(bundle(.accepted), with: other).contains(other.weightsHash.hex))

        var unsigned = try bundle(rejected("commitment"), edit: Self.forgeCommitment)
        unsigned.signature[3] ^= 1
        #expect(try reason(unsigned).contains("signature"))

        var changed = try bundle(.accepted).sealed(by: lab)
        changed.terms.attempt += 1
        #expect(try reason(changed).contains("seal"))

        var newer = try bundle(.accepted)
        newer.rules.arithmeticVersion += 1
        #expect(try reason(newer).contains("arithmetic"))
        newer.rules.arithmeticVersion -= 1
        newer.rules.schemaVersion += 1
        #expect(try reason(newer).contains("schema"))

        #expect(try reason(bundle(rejected("equivocation", .slash))).contains("more than one group"))
    }
}
