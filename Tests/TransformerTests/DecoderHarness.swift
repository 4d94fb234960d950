import Synchronization
import Tensors

@testable import Transformer

/// A small random model and ways to run tokens through it.
final class DecoderHarness: Sendable {
    let weights: ModelWeights
    let configuration: ModelConfiguration

    init(_ configuration: ModelConfiguration, seed: UInt64 = 11) throws {
        self.configuration = configuration
        let master = ModelInitializer.random(configuration, seed: seed)
        // Norm weights of 1 and tiny embeddings would hide mistakes.
        for (index, slice) in master.layout.slices.enumerated() {
            let values = master[slice]
            for element in 0..<values.count {
                if slice.isVector { values[element] += 0.25 * Float((element * 7 + index) % 5 - 2) }
                if slice.name == "model.embed_tokens.weight" { values[element] *= 40 }
            }
        }
        weights = try ModelWeights(master: master, kernels: Kernels(row: .scalar), pool: ComputePool(threads: 1))
    }

    /// The row that references are made with: the scalar one, but for the big shape the next, which the other shapes
    /// compare with the scalar one; plain C would take most of the suite's time.
    var referenceRow: KernelRow {
        configuration.matrixParametersPerLayer < 1 << 20 ? .scalar : KernelRow.available.prefix(2).last ?? .scalar
    }

    func decoder(_ row: KernelRow = .scalar, threads: Int = 1) throws -> Decoder {
        Decoder(weights: weights, kernels: try Kernels(row: row), pool: ComputePool(threads: threads))
    }

    func cache(pages: Int = 4096) -> KeyValueCache { KeyValueCache(configuration, maximumPages: pages) }

    /// Tokens that look random and are the same for the same seed.
    func tokens(_ count: Int, seed: UInt64) -> [Int32] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int32(truncatingIfNeeded: (state >> 33) % UInt64(configuration.vocabularySize))
        }
    }

    /// All rows of a sequence, computed in one prefill by one thread: what every other way must equal.
    func reference(_ tokens: [Int32]) throws -> [BFloat16Bits] {
        if let known = references.withLock({ $0[tokens] }) { return known }
        let cache = cache()
        let segment = Segment(cache.makeSequence(), tokens: tokens, outputs: tokens.count)
        let rows = try decoder(referenceRow).forward([segment], cache: cache).values
        references.withLock { $0[tokens] = rows }
        return rows
    }

    /// One harness per model, because references take the most time.
    static func shared(_ configuration: ModelConfiguration) throws -> DecoderHarness {
        try harnesses.withLock { known in
            if let harness = known[configuration] { return harness }
            let harness = try DecoderHarness(configuration)
            known[configuration] = harness
            return harness
        }
    }

    private let references = Mutex<[[Int32]: [BFloat16Bits]]>([:])
    private static let harnesses = Mutex<[ModelConfiguration: DecoderHarness]>([:])
}

extension Array {
    /// Rows `range` of a row-major matrix.
    func rows(_ range: Range<Int>, width: Int) -> [Element] {
        Array(self[range.lowerBound * width..<range.upperBound * width])
    }
}
