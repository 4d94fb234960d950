import Identity
import Proofs
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation
@testable import Verification

/// A worker, a verifier and an orchestrator's side of one run, in one process.
struct Swarm {
    static let configuration = ModelShape.nano.configuration
    static let runID = SHA256.hash([9])
    static let environmentHash = SHA256.hash([10])

    let kernels: Kernels
    let pool: ComputePool
    let master: MasterWeights
    let weights: ModelWeights

    init(_ configuration: ModelConfiguration = Self.configuration, row: KernelRow? = nil, threads: Int = 1) throws {
        kernels = try Kernels.preferred(named: row?.rawValue)
        pool = ComputePool(threads: threads)
        master = ModelInitializer.random(configuration, seed: 1)
        // Larger embeddings than the initializer's, so that distributions are far from uniform.
        for index in master.layout.embedding.range { master.values[index] *= 4 }
        for slice in master.layout.layers.flatMap(\.biases) {
            for index in slice.range { master.values[index] = 0.1 * Float(index % 7 - 3) }
        }
        weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
    }

    static func key(_ byte: UInt8 = 7) throws -> PublicKey {
        try #require(SigningKey(seed: [UInt8](repeating: byte, count: 32))).publicKey
    }

    var rules: AuditRules {
        AuditRules(
            schemaVersion: 1, arithmeticVersion: ArithmeticVersion.current,
            vocabularySize: weights.configuration.vocabularySize, hiddenSize: weights.configuration.hiddenSize)
    }

    static func parameters(samples: Int = 4, maximumTokens: Int = 40) -> SamplingParameters {
        SamplingParameters(samples: samples, maximumTokens: maximumTokens, stopTokens: [10, 11, 12])
    }

    func terms(_ number: Int, parameters: SamplingParameters = parameters(), key: UInt8 = 7) throws -> LeaseTerms {
        LeaseTerms(
            runID: Self.runID, leaseID: UInt64(1000 + number),
            groupID: SHA256.hash([2, UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]),
            attempt: 0, workerKey: try Self.key(key), policyVersion: 5, weightsHash: weights.weightsHash,
            environmentID: "digit-sort", environmentHash: Self.environmentHash,
            promptTokens: (0..<(5 + number % 30)).map { Int32(48 + ($0 * 3 + number) % 10) } + [62],
            parameters: parameters)
    }

    /// What a worker does that generates by `edit`'s version of the terms, with these or other weights, and claims the
    /// leased hash.
    func generate(
        _ terms: [LeaseTerms], with other: ModelWeights? = nil, edit: (inout GroupRequest) -> Void = { _ in }
    ) throws -> [GroupEvidence] {
        let engine = GenerationEngine(
            weights: other ?? weights, kernels: kernels, pool: pool,
            context: GenerationContext(runID: Self.runID, workerKey: terms[0].workerKey),
            limits: GenerationLimits(sequences: 256, pages: 20000))
        engine.lanes[0].noiseWeightsHash = weights.weightsHash
        for item in terms {
            var request = GroupRequest(
                groupID: item.groupID, promptTokens: item.promptTokens, parameters: item.parameters)
            edit(&request)
            try engine.add(request)
        }
        var results: [Hash256: GroupResult] = [:]
        while !engine.isIdle { for group in try engine.step() { results[group.groupID] = group } }
        return try terms.map { evidence(try #require(results[$0.groupID] ?? results.values.first), $0) }
    }

    func generate(
        _ terms: LeaseTerms, with other: ModelWeights? = nil, edit: (inout GroupRequest) -> Void = { _ in }
    ) throws -> GroupEvidence {
        try generate([terms], with: other, edit: edit)[0]
    }

    func evidence(_ group: GroupResult, _ terms: LeaseTerms) -> GroupEvidence {
        GroupEvidence(
            schemaVersion: 1, arithmeticVersion: ArithmeticVersion.current, runID: terms.runID, leaseID: terms.leaseID,
            groupID: terms.groupID, attempt: terms.attempt, workerKey: terms.workerKey,
            policyVersion: terms.policyVersion, weightsHash: terms.weightsHash, environmentID: terms.environmentID,
            environmentHash: terms.environmentHash, promptTokens: terms.promptTokens, parameters: terms.parameters,
            samples: group.samples.map { sample in
                SampleEvidence(
                    tokens: sample.tokens, finishReason: sample.finishReason,
                    logProbabilities: sample.logProbabilities, commitments: sample.commitments.map(\.bytes),
                    proofs: sample.proofs.map(\.bytes))
            })
    }

    var replayer: Replayer {
        Replayer(weights: weights, kernels: kernels, pool: pool, limits: ReplayLimits(pages: 20000))
    }

    /// The orchestrator's verdict by an honest verifier's replay.
    func verdict(_ evidence: GroupEvidence, _ terms: LeaseTerms, rules: AuditRules? = nil) throws -> Verdict {
        let rules = rules ?? self.rules
        if let rejection = Checks.examine(evidence, terms: terms, rules: rules) { return .rejected(rejection) }
        let result = try replayer.replay(ReplayRequest(evidence, terms: terms))
        return Checks.judge(evidence, terms: terms, rules: rules, replay: result)
    }

    /// The name of the check that rejects, or nil.
    func rejection(_ evidence: GroupEvidence, _ terms: LeaseTerms, rules: AuditRules? = nil) throws -> Rejection? {
        if case .rejected(let rejection) = try verdict(evidence, terms, rules: rules) { return rejection }
        return nil
    }

    /// These weights, widened, changed and rounded again.
    func changed(_ edit: (MasterWeights) -> Void) throws -> ModelWeights {
        let copy = MasterWeights(widening: weights)
        edit(copy)
        return try ModelWeights(master: copy, kernels: kernels, pool: pool)
    }
}
