import Identity
import Sampling
import Tensors
import Testing
import Transformer

@testable import Generation

/// A small odd-shaped model and what most tests need around it.
struct TestModel {
    static let configuration = ModelConfiguration(
        vocabularySize: 101, hiddenSize: 40, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 10,
        intermediateSize: 72, maxPositions: 256)

    let kernels: Kernels
    let pool: ComputePool
    let weights: ModelWeights

    init(row: KernelRow? = nil, threads: Int = 1, seed: UInt64 = 3) throws {
        kernels = try Kernels.preferred(named: row?.rawValue)
        pool = ComputePool(threads: threads)
        let master = ModelInitializer.random(Self.configuration, seed: seed)
        // Larger weights than the initializer's, so that distributions are far from uniform.
        for index in 0..<master.values.count { master.values[index] *= 3 }
        weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
    }

    static let runID = SHA256.hash([42])

    static func key(_ byte: UInt8 = 7) throws -> PublicKey {
        try #require(SigningKey(seed: [UInt8](repeating: byte, count: 32))).publicKey
    }

    func engine(sequences: Int = 64, pages: Int = 4096, waiting: Int = 4096) throws -> GenerationEngine {
        GenerationEngine(
            weights: weights, kernels: kernels, pool: pool,
            context: GenerationContext(runID: Self.runID, workerKey: try Self.key()),
            limits: GenerationLimits(sequences: sequences, pages: pages, waitingGroups: waiting))
    }

    static func request(
        _ number: Int, samples: Int = 4, maximumTokens: Int = 40, prompt: Int? = nil, temperature: Float = 1
    ) -> GroupRequest {
        let length = prompt ?? 1 + number % 37
        return GroupRequest(
            groupID: SHA256.hash([1, UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]),
            promptTokens: (0..<length).map { Int32(($0 * 13 + number * 7) % 101) },
            parameters: SamplingParameters(
                samples: samples, maximumTokens: maximumTokens, temperature: temperature,
                stopTokens: [5, 60, 77]))
    }
}

extension GenerationEngine {
    /// Steps until nothing is left.
    func finish() throws -> [GroupResult] {
        var results: [GroupResult] = []
        while !isIdle { results += try step() }
        return results
    }
}
