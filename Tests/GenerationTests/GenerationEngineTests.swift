import Identity
import Proofs
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation

@Suite struct GenerationEngineTests {
    let model: TestModel

    init() throws { model = try TestModel() }

    /// The same rules without batching, caching or sharing: every token from a prefill of its whole history.
    private func naive(_ request: GroupRequest, sample: UInt32) throws -> SampleResult {
        let decoder = Decoder(weights: model.weights, kernels: model.kernels, pool: model.pool)
        let parameters = request.parameters
        let chooser = TokenChooser(
            kernels: model.kernels, vocabularySize: TestModel.configuration.vocabularySize, parameters: parameters)
        let noise = NoiseKey(
            runID: TestModel.runID, weightsHash: model.weights.weightsHash, groupID: request.groupID, sample: sample)
        let output = model.weights.output
        var tokens: [Int32] = []
        var logProbabilities: [Float] = []
        var rows: [UInt16] = []
        var reason: FinishReason?
        while reason == nil {
            let cache = KeyValueCache(TestModel.configuration, maximumPages: 64)
            let hidden = try decoder.forward(
                [Segment(cache.makeSequence(), tokens: request.promptTokens + tokens)], cache: cache)
            var logits = [Float](repeating: 0, count: output.panelCount * PackedMatrix.panelWidth)
            model.kernels.matmul(
                hidden.pointer, stride: hidden.width, rows: 1, by: output, into: &logits, outStride: logits.count)
            let position = UInt32(request.promptTokens.count + tokens.count)
            let chosen = try chooser.choose(logits, noise: noise.words, position: position)
            rows += hidden.values
            tokens.append(chosen.token)
            logProbabilities.append(chosen.logProbability)
            if parameters.stopTokens.contains(chosen.token) {
                reason = .stop
            } else if tokens.count == parameters.maximumTokens {
                reason = .length
            }
        }
        let hidden = TestModel.configuration.hiddenSize
        var commitments: [Hash256] = []
        for (chunk, start) in stride(from: 0, to: tokens.count, by: 32).enumerated() {
            let values = Array(rows[start * hidden..<min(start + 32, tokens.count) * hidden])
            commitments.append(
                try values.withUnsafeBufferPointer {
                    try Commitment.make(
                        rows: $0, workerKey: TestModel.key(), groupID: request.groupID, sample: sample,
                        chunk: UInt32(chunk))
                })
        }
        let proofs = try rows.withUnsafeBufferPointer { try Toploc.proofs(of: $0, hidden: hidden) }
        return SampleResult(
            tokens: tokens, logProbabilities: logProbabilities, finishReason: try #require(reason),
            commitments: commitments, proofs: proofs)
    }

    @Test func equalsTheNaiveWay() throws {
        let requests = [
            TestModel.request(0, samples: 3, maximumTokens: 70), TestModel.request(15, samples: 2, prompt: 16),
            TestModel.request(17, samples: 2, temperature: 0), TestModel.request(20, samples: 2, maximumTokens: 1),
            TestModel.request(31, samples: 2, prompt: 33, temperature: 0.5),
        ]
        let engine = try model.engine()
        for request in requests { try engine.add(request) }
        let results = try engine.finish()
        #expect(results.count == requests.count)
        for result in results {
            for (index, sample) in result.samples.enumerated() {
                let expected = try naive(result.request, sample: UInt32(index))
                #expect(sample == expected)
            }
        }
        #expect(results.flatMap(\.samples).contains { $0.tokens.count > 32 }, "more than one chunk must occur")
    }

    @Test func companyChangesNothing() throws {
        let requests = (0..<30).map { TestModel.request($0) }
        var alone: [Hash256: GroupResult] = [:]
        for request in requests {
            let engine = try model.engine()
            try engine.add(request)
            for result in try engine.finish() { alone[result.groupID] = result }
        }
        for sequences in [1, 7, 64, 512] {
            let engine = try model.engine(sequences: sequences)
            for request in requests.reversed() { try engine.add(request) }
            let results = try engine.finish()
            #expect(results.count == requests.count)
            for result in results { #expect(result == alone[result.groupID]) }
        }
    }

    @Test func samplesEndHonestly() throws {
        let engine = try model.engine()
        for number in 0..<40 { try engine.add(TestModel.request(number)) }
        let results = try engine.finish()
        var reasons: Set<FinishReason> = []
        for result in results {
            let parameters = result.request.parameters
            #expect(result.samples.count == parameters.samples)
            for sample in result.samples {
                reasons.insert(sample.finishReason)
                let firstStop = sample.tokens.firstIndex(where: parameters.stopTokens.contains)
                #expect(firstStop == nil || firstStop == sample.tokens.count - 1)
                #expect((sample.finishReason == .stop) == (firstStop != nil))
                #expect(sample.finishReason == .stop || sample.tokens.count == parameters.maximumTokens)
                #expect(sample.logProbabilities.count == sample.tokens.count)
                #expect(sample.commitments.count == (sample.tokens.count + 31) / 32)
                #expect(sample.proofs.count == sample.commitments.count)
            }
        }
        #expect(reasons == [.stop, .length])
        let tokens = results.flatMap(\.samples).reduce(0) { $0 + $1.tokens.count }
        #expect(engine.tokensGenerated == UInt64(tokens))
        #expect(engine.promptTokensComputed == UInt64(results.reduce(0) { $0 + $1.request.promptTokens.count }))
    }

    /// A stop token in the very last place is a stop.
    @Test func stopBeatsLength() throws {
        let engine = try model.engine()
        try engine.add(TestModel.request(1, samples: 4, maximumTokens: 20))
        let first = try #require(try engine.finish().first)
        let sample = try #require(first.samples.first { $0.finishReason == .length })
        var request = first.request
        request.parameters.stopTokens = [try #require(sample.tokens.last)]
        try engine.add(request)
        let again = try #require(try engine.finish().first)
        for (before, after) in zip(first.samples, again.samples) where after.tokens == before.tokens {
            if after.tokens.last == request.parameters.stopTokens[0] { #expect(after.finishReason == .stop) }
        }
        #expect(again.samples.contains { $0.finishReason == .stop })
    }

    @Test func withoutKeyNoEvidence() throws {
        let plain = GenerationEngine(
            weights: model.weights, kernels: model.kernels, pool: model.pool,
            context: GenerationContext(runID: TestModel.runID, workerKey: nil),
            limits: GenerationLimits(sequences: 8, pages: 512))
        let full = try model.engine()
        try plain.add(TestModel.request(2))
        try full.add(TestModel.request(2))
        let (bare, proved) = (try plain.finish(), try full.finish())
        #expect(bare[0].samples.map(\.tokens) == proved[0].samples.map(\.tokens))
        #expect(bare[0].samples.allSatisfy { $0.commitments.isEmpty && $0.proofs.isEmpty })
    }
}
