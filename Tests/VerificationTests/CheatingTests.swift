import Identity
import Proofs
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation
@testable import Verification

/// Negative controls: every way of cheating that we know, each caught by the check that is meant for it.
@Suite struct CheatingTests {
    let swarm: Swarm
    let terms: LeaseTerms

    init() throws {
        swarm = try Swarm()
        terms = try swarm.terms(11)
    }

    private func mustReject(
        _ check: String, _ evidence: GroupEvidence, _ severity: Rejection.Severity = .softStrike,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let rejection = try #require(try swarm.rejection(evidence, terms), sourceLocation: sourceLocation)
        #expect(rejection.check == check, "\(rejection)", sourceLocation: sourceLocation)
        #expect(rejection.severity == severity, sourceLocation: sourceLocation)
    }

    /// What a worker would submit that computes honestly over tokens of its own choice.
    private func honestEvidence(over completions: [[Int32]], _ original: GroupEvidence) throws -> GroupEvidence {
        var evidence = original
        var request = ReplayRequest(original, terms: terms)
        request.completions = completions
        let replay = try swarm.replayer.replay(request)
        for (index, sample) in replay.samples.enumerated() {
            let last = completions[index].last ?? 0
            evidence.samples[index] = SampleEvidence(
                tokens: completions[index], finishReason: terms.parameters.stopTokens.contains(last) ? .stop : .length,
                logProbabilities: sample.logProbabilities, commitments: sample.commitments.map(\.bytes),
                proofs: try sample.topRows.map { try ToplocProof($0).bytes })
        }
        return evidence
    }

    // MARK: weights

    @Test func perturbedWeights() throws {
        // About one small optimizer step away, as the previous version would be.
        let previous = try swarm.changed { master in
            for index in 0..<master.values.count where index % 3 == 0 { master.values[index] *= 1.01 }
        }
        try mustReject("commitment", swarm.generate(terms, with: previous))
    }

    @Test func oneTensorOneUlp() throws {
        for name in [
            "model.layers.1.mlp.down_proj.weight", "model.norm.weight", "model.layers.0.self_attn.k_proj.weight",
        ] {
            let changed = try swarm.changed { master in
                guard let tensor = master.tensor(named: name) else { return }
                for index in tensor.indices {
                    tensor[index] = Float(bitPattern: tensor[index].bitPattern &+ (1 << 16))
                }
            }
            #expect(changed.weightsHash != swarm.weights.weightsHash)
            try mustReject("commitment", swarm.generate(terms, with: changed))
        }
    }

    /// One value of the last norm touches every row directly; a single ulp of it is seen.
    @Test func oneWeightOneUlp() throws {
        let changed = try swarm.changed { master in
            guard let tensor = master.tensor(named: "model.norm.weight") else { return }
            tensor[5] = Float(bitPattern: tensor[5].bitPattern &+ (1 << 16))
        }
        try mustReject("commitment", swarm.generate(terms, with: changed))
    }

    @Test func quantisedWeights() throws {
        let quantised = try swarm.changed { master in
            for slice in master.layout.slices where !slice.isVector {
                let tensor = master[slice]
                let width = slice.shape[1]
                for row in 0..<slice.shape[0] {
                    let scale = (0..<width).reduce(into: Float(0)) { $0 = max($0, abs(tensor[row * width + $1])) } / 127
                    for column in 0..<width where scale > 0 {
                        tensor[row * width + column] = (tensor[row * width + column] / scale).rounded() * scale
                    }
                }
            }
        }
        try mustReject("commitment", swarm.generate(terms, with: quantised))
    }

    @Test func honestAboutOtherWeights() throws {
        var evidence = try swarm.generate(terms)
        evidence.weightsHash = SHA256.hash([0])
        try mustReject("weights", evidence)
        evidence = try swarm.generate(terms)
        evidence.policyVersion = 4
        try mustReject("weights", evidence)
    }

    // MARK: prompts, temperature and luck

    @Test func alteredPrompt() throws {
        let evidence = try swarm.generate(terms) { $0.promptTokens[2] ^= 1 }
        try mustReject("commitment", evidence)
        var open = evidence
        open.promptTokens[2] ^= 1
        try mustReject("prompt", open)
    }

    @Test func otherTemperature() throws {
        let lazy = try swarm.generate(terms) { $0.parameters.temperature = 0.6 }
        // Its rows are right, its log-probabilities belong to another distribution.
        try mustReject("log-probability", lazy, .slash)
        // A careful one reports the right log-probabilities; the choices give it away.
        try mustReject("sampling", honestEvidence(over: lazy.samples.map(\.tokens), lazy))
        var open = lazy
        open.parameters.temperature = 0.6
        try mustReject("sampling-parameters", open)
    }

    @Test func oneTokenOfChoice() throws {
        let honest = try swarm.generate(terms)
        var completions = honest.samples.map(\.tokens)
        let index = try #require(honest.samples.firstIndex { $0.finishReason == .length })
        completions[index][39] = completions[index][39] == 50 ? 51 : 50
        let rejection = try #require(try swarm.rejection(honestEvidence(over: completions, honest), terms))
        #expect(rejection.check == "sampling" && rejection.place == .init(sample: index, position: 39))
    }

    /// Samples drawn with other noise until they please, then committed to honestly.
    @Test func bestOfMany() throws {
        let lucky = try swarm.generate(terms) { $0.groupID = SHA256.hash([77]) }
        try mustReject("sampling", honestEvidence(over: lucky.samples.map(\.tokens), lucky))
    }

    @Test func swappedSamples() throws {
        var evidence = try swarm.generate(terms)
        evidence.samples.swapAt(0, 1)
        try mustReject("commitment", evidence)
        // Committed to again in the wanted order, the noise still belongs to the other place.
        try mustReject("sampling", honestEvidence(over: evidence.samples.map(\.tokens), evidence))
    }

    @Test func droppedSample() throws {
        var evidence = try swarm.generate(terms)
        evidence.samples.removeLast()
        try mustReject("sample-count", evidence)
    }

    // MARK: log-probabilities and proofs

    @Test func logProbabilityOneUlp() throws {
        var evidence = try swarm.generate(terms)
        let value = evidence.samples[2].logProbabilities[0]
        evidence.samples[2].logProbabilities[0] = value.nextDown
        try mustReject("log-probability", evidence, .slash)
        evidence.samples[2].logProbabilities[0] = .nan
        try mustReject("log-probability-range", evidence)
        evidence.samples[2].logProbabilities[0] = 0.5
        try mustReject("log-probability-range", evidence)
        evidence.samples[2].logProbabilities = [value]
        evidence.samples[2].logProbabilities += [value]
        try mustReject("log-probability-range", evidence)
    }

    @Test func stolenCommitments() throws {
        let victim = try swarm.terms(11, key: 8)
        #expect(victim.groupID == terms.groupID)
        var evidence = try swarm.generate(victim)
        evidence.workerKey = terms.workerKey
        try mustReject("commitment", evidence)
    }

    @Test func forgedProofs() throws {
        let honest = try swarm.generate(terms)
        let chunk = honest.samples[0].proofs[0]
        func forged(_ bytes: [UInt8]) -> GroupEvidence {
            var evidence = honest
            evidence.samples[0].proofs[0] = bytes
            return evidence
        }
        // A constant, another chunk's proof, one coefficient off by one.
        try mustReject("toploc", forged([0xFF, 0xD9, 0x3F, 0x80] + [UInt8](repeating: 0, count: chunk.count - 4)))
        let other = try #require(honest.samples.dropFirst().first { $0.proofs[0].count == chunk.count }).proofs[0]
        try mustReject("toploc", forged(other))
        var nudged = chunk
        nudged[101] ^= 1
        try mustReject("toploc", forged(nudged))
        // Malformed ones never reach a verifier.
        try mustReject("proof-structure", forged([UInt8](repeating: 0, count: chunk.count)))
        try mustReject("proof-structure", forged(chunk.dropLast(2)))
        try mustReject("proof-structure", forged([]))
        var missing = honest
        missing.samples[0].proofs.removeLast()
        try mustReject("proof-structure", missing)
        missing = honest
        missing.samples[0].commitments.append(missing.samples[0].commitments[0])
        try mustReject("proof-structure", missing)
        missing = honest
        missing.samples[0].commitments[0].removeLast()
        try mustReject("proof-structure", missing)
    }

    @Test func wrongCommitment() throws {
        var evidence = try swarm.generate(terms)
        let last = evidence.samples[3].commitments.count - 1
        evidence.samples[3].commitments[last][31] ^= 1
        let rejection = try #require(try swarm.rejection(evidence, terms))
        #expect(rejection.check == "commitment" && rejection.place == .init(sample: 3, chunk: last))
    }

    @Test func foreignPolicyStillCatchesOtherModels() throws {
        var rules = swarm.rules
        rules.policy = .toploc(ForeignEnginePolicy())
        let other = try ModelWeights(
            master: ModelInitializer.random(Swarm.configuration, seed: 2), kernels: swarm.kernels, pool: swarm.pool)
        #expect(try swarm.rejection(swarm.generate(terms, with: other), terms, rules: rules)?.check == "toploc")
        var wrong = try swarm.generate(terms)
        for index in wrong.samples[0].logProbabilities.indices { wrong.samples[0].logProbabilities[index] -= 0.2 }
        #expect(try swarm.rejection(wrong, terms, rules: rules)?.check == "log-probability")
    }
}
