public import Generation
public import Identity
import Proofs
public import Sampling
public import Tensors
public import Transformer
public import Verification

/// What a dishonest worker has: the leased weights, an engine, and all the time in the world.
///
/// Not safe for use from several threads at once.
public final class AttackLab {
    /// The leased weights.
    public let weights: ModelWeights
    /// The kernels that compute.
    public let kernels: Kernels
    /// The threads that compute.
    public let pool: ComputePool
    /// The worker.
    public let workerKey: PublicKey
    /// Another worker of the run.
    public let otherKey: PublicKey
    /// Everything that is drawn follows from it.
    public let seed: UInt64

    private let previous: ModelWeights?
    private let prompts: PromptSet
    private let replayer: Replayer
    private var made: [String: ModelWeights] = [:]
    private var means: [Float]?

    /// The run of every report.
    public static let runID = SHA256.hash(Array("apus/audit-report/v1".utf8))
    private static let cacheBytes = 1 << 30
    private static let sequences = 256

    /// A lab.
    ///
    /// - Parameters:
    ///   - previous: the weights of the version before, where there is one; otherwise a small drift stands for it.
    public init(
        weights: ModelWeights, previous: ModelWeights? = nil, prompts: PromptSet, kernels: Kernels, pool: ComputePool,
        seed: UInt64
    ) {
        self.weights = weights
        self.previous = previous
        self.prompts = prompts
        self.kernels = kernels
        self.pool = pool
        self.seed = seed
        workerKey = Self.key(seed, 1)
        otherKey = Self.key(seed, 2)
        replayer = Replayer(
            weights: weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: Self.cacheBytes, configuration: weights.configuration))
    }

    private static func key(_ seed: UInt64, _ number: UInt64) -> PublicKey {
        var dice = Dice(seed, 3, number)
        let bytes = (0..<SigningKey.seedByteCount).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
        guard let key = SigningKey(seed: bytes) else { preconditionFailure("a seed of 32 bytes makes a key") }
        return key.publicKey
    }

    /// The model's sizes.
    public var configuration: ModelConfiguration { weights.configuration }

    /// The lease with this number.
    public func terms(_ number: Int, _ parameters: SamplingParameters) -> LeaseTerms {
        LeaseTerms(
            runID: Self.runID, leaseID: UInt64(number) + 1, groupID: groupID(number, of: "lease"), attempt: 0,
            workerKey: workerKey, policyVersion: 5, weightsHash: weights.weightsHash, environmentID: "audit-report",
            environmentHash: .zero, promptTokens: prompts[number], parameters: parameters)
    }

    /// A group's identity, one for each number and purpose.
    func groupID(_ number: Int, of purpose: String) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/audit-report/group/v1")
        hash.update(utf8: purpose)
        hash.update(littleEndian: seed)
        hash.update(littleEndian: UInt64(number))
        return hash.finalize()
    }

    // MARK: - Generating

    /// What a worker submits that generates by `edit`'s version of the leases, with these or other weights, and claims to
    /// have done what was leased.
    ///
    /// - Parameter alone: one sequence at a time, instead of as many as there are.
    func generate(
        _ terms: [LeaseTerms], with other: ModelWeights? = nil, key: PublicKey? = nil, alone: Bool = false,
        kernels: Kernels? = nil, pool: ComputePool? = nil, edit: (Int, inout GroupRequest) -> Void = { _, _ in }
    ) throws -> [GroupEvidence] {
        let engine = GenerationEngine(
            weights: other ?? weights, kernels: kernels ?? self.kernels, pool: pool ?? self.pool,
            context: GenerationContext(runID: Self.runID, workerKey: key ?? workerKey, allowsFilters: true),
            limits: GenerationLimits(
                sequences: alone ? 1 : Self.sequences, cacheBytes: Self.cacheBytes, configuration: configuration))
        // Noise as the lease has it: a liar about weights is caught by its rows, not by its luck.
        try engine.claim(weightsHash: weights.weightsHash)
        var places: [Hash256: Int] = [:]
        for (place, item) in terms.enumerated() {
            var request = GroupRequest(
                groupID: item.groupID, promptTokens: item.promptTokens, parameters: item.parameters)
            edit(place, &request)
            places[request.groupID] = place
            try engine.add(request)
        }
        var finished: [GroupResult?] = Array(repeating: nil, count: terms.count)
        while !engine.isIdle {
            for group in try engine.step() {
                if let place = places[group.groupID] { finished[place] = group }
            }
        }
        return zip(terms, finished).map { item, group in Self.evidence(group?.samples ?? [], item) }
    }

    /// What a worker submits for a lease, of samples from whatever engine.
    public static func evidence(_ samples: [SampleResult], _ terms: LeaseTerms) -> GroupEvidence {
        GroupEvidence(
            terms,
            samples: samples.map { sample in
                SampleEvidence(
                    tokens: sample.tokens, finishReason: sample.finishReason,
                    logProbabilities: sample.logProbabilities, commitments: sample.commitments.map(\.bytes),
                    proofs: sample.proofs.map(\.bytes))
            })
    }

    // MARK: - Computing honestly over chosen tokens

    /// What a worker submits that picks tokens as it likes, and computes honestly over them.
    func evidence(over completions: [[[Int32]]], _ groups: [HonestGroup]) throws -> [GroupEvidence] {
        let requests = zip(completions, groups).map { tokens, group in
            var request = ReplayRequest(group.evidence, terms: group.terms)
            request.completions = tokens
            return request
        }
        return try zip(zip(groups, completions), replayer.replay(requests)).map { item, replay in
            let (group, completions) = item
            var evidence = group.evidence
            evidence.samples = try zip(completions, replay.samples).map { tokens, sample in
                let stops = tokens.last.map(group.terms.parameters.stopTokens.contains) ?? false
                return SampleEvidence(
                    tokens: tokens, finishReason: stops ? .stop : .length, logProbabilities: sample.logProbabilities,
                    commitments: sample.commitments.map(\.bytes),
                    proofs: try sample.topRows.map { try ToplocProof($0).bytes })
            }
            return evidence
        }
    }

    /// The mean of each channel of the final hidden rows, as an attacker learns it from a few groups of its own.
    func channelMeans(from groups: [HonestGroup]) throws -> [Float] {
        if let means { return means }
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let width = configuration.hiddenSize
        var sums = [Float](repeating: 0, count: width)
        var count = 0
        for group in groups.prefix(8) {
            let tokens = group.terms.promptTokens + group.completions[0].dropLast()
            let cache = KeyValueCache(configuration, maximumPages: KeyValuePageLayout.pages(for: tokens.count))
            let rows = try decoder.forward(
                [Segment(cache.makeSequence(), tokens: tokens, outputs: tokens.count)], cache: cache)
            for row in 0..<rows.count {
                for (channel, bits) in rows[row].enumerated() { sums[channel] += Float(bitPattern: UInt32(bits) << 16) }
            }
            count += rows.count
        }
        let result = sums.map { $0 / Float(max(1, count)) }
        means = result
        return result
    }

    // MARK: - Other weights

    /// The weights of the version before.
    func previousWeights() throws -> ModelWeights {
        if let previous { return previous }
        return try changedWeights("previous") { [seed] in WeightChange.drift($0, versions: 1, seed: seed) }
    }

    /// The leased weights, changed once and kept under a name.
    func changedWeights(
        _ name: String, from source: ModelWeights? = nil, _ edit: (MasterWeights) -> Void
    ) throws -> ModelWeights {
        if let kept = made[name] { return kept }
        let changed = try WeightChange.changed(source ?? weights, kernels: kernels, pool: pool, edit)
        made[name] = changed
        return changed
    }

    /// Lets go of changed weights: of a large model each takes as much memory as the model.
    func forgetWeights() { made = [:] }
}
