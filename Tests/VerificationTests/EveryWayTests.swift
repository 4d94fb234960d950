import Identity
import Proofs
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation
@testable import Verification

/// The practical test of docs/arithmetic.md: one rollout made every way has one set of commitments.
@Suite struct EveryWayTests {
    private func request(_ swarm: Swarm, _ number: Int) throws -> GroupRequest {
        let parameters = SamplingParameters(samples: 4, maximumTokens: 70, stopTokens: [10])
        let terms = try swarm.terms(number, parameters: parameters)
        return GroupRequest(groupID: terms.groupID, promptTokens: terms.promptTokens, parameters: terms.parameters)
    }

    private func generate(_ swarm: Swarm, others: Int, sequences: Int) throws -> GroupResult {
        let engine = GenerationEngine(
            weights: swarm.weights, kernels: swarm.kernels, pool: swarm.pool,
            context: GenerationContext(runID: Swarm.runID, workerKey: try Swarm.key()),
            limits: GenerationLimits(sequences: sequences, pages: 4096))
        let wanted = try request(swarm, 17)
        for number in 0..<others / 2 { try engine.add(request(swarm, 100 + number)) }
        // The group joins in the middle of others, two steps after they began.
        if others > 0 { for _ in 0..<2 { _ = try engine.step() } }
        try engine.add(wanted)
        for number in others / 2..<others { try engine.add(request(swarm, 100 + number)) }
        while !engine.isIdle {
            for group in try engine.step() where group.groupID == wanted.groupID { return group }
        }
        throw NotHandedOn()
    }

    private struct NotHandedOn: Error {}

    private func replay(_ swarm: Swarm, _ group: GroupResult) throws -> ReplayResult {
        try swarm.replayer.replay(
            ReplayRequest(
                runID: Swarm.runID, groupID: group.groupID, workerKey: Swarm.key(),
                promptTokens: group.request.promptTokens, parameters: group.request.parameters,
                completions: group.samples.map(\.tokens)))
    }

    /// Prefill in pieces of any size on a sequence of its own: no page is shared, no prompt is computed once.
    private func commitmentsUnshared(_ swarm: Swarm, _ group: GroupResult, piece: Int) throws -> [[Hash256]] {
        let decoder = Decoder(weights: swarm.weights, kernels: swarm.kernels, pool: swarm.pool)
        let hidden = swarm.weights.configuration.hiddenSize
        return try group.samples.enumerated().map { index, sample in
            let cache = KeyValueCache(swarm.weights.configuration, maximumPages: 64)
            let sequence = cache.makeSequence()
            let fed = group.request.promptTokens + sample.tokens.dropLast()
            var rows: [BFloat16Bits] = []
            for start in stride(from: 0, to: fed.count, by: piece) {
                let tokens = fed[start..<min(start + piece, fed.count)]
                rows += try decoder.forward(
                    [Segment(sequence, tokens: tokens, outputs: tokens.count)], cache: cache
                ).values
            }
            rows.removeFirst((group.request.promptTokens.count - 1) * hidden)
            return try (0..<Chunking.standard.count(forRows: sample.tokens.count)).map { chunk in
                let range = Chunking.standard.range(ofChunk: chunk, rows: sample.tokens.count)
                return try rows[range.lowerBound * hidden..<range.upperBound * hidden].withUnsafeBufferPointer {
                    try Commitment.make(
                        rows: $0, workerKey: Swarm.key(), groupID: group.groupID, sample: UInt32(index),
                        chunk: UInt32(chunk))
                }
            }
        }
    }

    /// Grouped queries seven to one, biases everywhere, a window that crosses pages, a layer without rotation.
    private static let everySwitch = ModelConfiguration(
        vocabularySize: 128, hiddenSize: 52, layers: 3, heads: 7, keyValueHeads: 1, headDimension: 10,
        intermediateSize: 90, tieEmbeddings: false, maxPositions: 1024, qkNorm: false, attentionBias: true,
        attentionOutputBias: true, mlpBias: true,
        ropeScaling: .llama3(factor: 4, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 24),
        slidingWindow: 19, windowedLayers: [0, 2], unrotatedLayers: [1])

    @Test(arguments: [Swarm.configuration, everySwitch])
    func oneRolloutHasOneSetOfCommitments(_ model: ModelConfiguration) throws {
        let reference = try generate(Swarm(model, row: .scalar), others: 0, sequences: 1)
        #expect(reference.samples.contains { $0.tokens.count > 32 }, "more than one chunk must occur")
        for row in KernelRow.available {
            for threads in [1, 2] {
                let swarm = try Swarm(model, row: row, threads: threads)
                // The scalar row is slow; company is tested on the others.
                for (others, sequences) in row == .scalar ? [(0, 4)] : [(0, 1), (2, 7), (20, 64), (20, 5)] {
                    let group = try generate(swarm, others: others, sequences: sequences)
                    #expect(group == reference, "\(row), \(threads) threads, \(others) others, \(sequences) at once")
                }
                let replay = try replay(swarm, reference)
                for (sample, replayed) in zip(reference.samples, replay.samples) {
                    #expect(replayed.commitments == sample.commitments, "\(row), \(threads) threads")
                    #expect(replayed.logProbabilities == sample.logProbabilities)
                    #expect(replayed.replayedTokens == sample.tokens)
                    for (top, proof) in zip(replayed.topRows, sample.proofs) {
                        #expect(try ToplocProof(top) == proof)
                    }
                }
                for piece in row == .scalar ? [64] : [1, 7, 16, 1000] {
                    let commitments = try commitmentsUnshared(swarm, reference, piece: piece)
                    #expect(commitments == reference.samples.map(\.commitments), "\(row), pieces of \(piece)")
                }
            }
        }
    }

    @Test func replayingTogetherOrAloneIsTheSame() throws {
        let swarm = try Swarm(threads: 2)
        let terms = try (0..<12).map { try swarm.terms($0) }
        let evidence = try swarm.generate(terms)
        let requests = zip(evidence, terms).map { ReplayRequest($0, terms: $1) }
        let together = try swarm.replayer.replay(requests)
        for (request, result) in zip(requests, together) { #expect(try swarm.replayer.replay(request) == result) }
        // Room for one completion at a time: every group is replayed in pieces.
        let smallest =
            requests.flatMap { request in
                request.completions.indices.map { ReplayLimits.pages(for: request, $0..<($0 + 1)) }
            }.max() ?? 0
        let small = Replayer(
            weights: swarm.weights, kernels: swarm.kernels, pool: swarm.pool,
            limits: ReplayLimits(pages: smallest, rows: 50))
        #expect(try small.replay(requests) == together)
        #expect(small.tokensReplayed == UInt64(evidence.flatMap(\.samples).reduce(0) { $0 + $1.tokens.count }))
    }

    @Test func impossibleRequestsAreFaults() throws {
        let swarm = try Swarm()
        let terms = try swarm.terms(1)
        let good = ReplayRequest(try swarm.generate(terms), terms: terms)
        let edits: [(inout ReplayRequest) -> Void] = [
            { $0.promptTokens = [] }, { $0.promptTokens = [-1] }, { $0.promptTokens = [128] },
            { $0.completions = [] }, { $0.completions[1] = [] }, { $0.completions[0] = [.max] },
            { $0.completions[0] = [Int32](repeating: 1, count: 100_000) }, { $0.parameters.temperature = -1 },
        ]
        for edit in edits {
            var bad = good
            edit(&bad)
            #expect(throws: ReplayError.self) { try swarm.replayer.replay(bad) }
        }
        let tiny = Replayer(
            weights: swarm.weights, kernels: swarm.kernels, pool: swarm.pool, limits: ReplayLimits(pages: 1))
        #expect(throws: ReplayError.self) { try tiny.replay(good) }
    }
}
