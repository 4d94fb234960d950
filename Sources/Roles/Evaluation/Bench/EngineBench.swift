import Identity
import Tensors
import Transformer

/// Times the engine on random tokens: what `apus bench` prints.
///
/// Every figure is the median of some repetitions in one process, after a pass that touches every weight. Comparing with
/// other programs is the work of `make bench`, which runs both by turns.
public struct EngineBench {
    /// One figure with its settings.
    public struct Line: Encodable, Sendable {
        /// What was timed.
        public let bench: String
        /// The median rate.
        public let tokensPerSecond: Double
        /// Prompt tokens per second, where prompts were computed too.
        public var prefillTokensPerSecond: Double?
        /// New tokens ÷ seconds of prefill and decoding together, where there were both.
        public var totalTokensPerSecond: Double?
        /// Tokens of prompts and completions ÷ seconds, where completions are what is counted otherwise.
        public var replayedTokensPerSecond: Double?
        /// The slowest and the fastest repetition.
        public let spread: [Double]
        /// The kernel row.
        public let row: String
        /// Threads.
        public let threads: Int
        /// Parameters of the model.
        public let parameters: Int
        /// What was asked for.
        public let settings: [String: Int]

        init(
            _ bench: String, _ rates: [Double], kernels: Kernels, pool: ComputePool, parameters: Int,
            _ settings: [String: Int]
        ) {
            self.bench = bench
            tokensPerSecond = EngineBench.median(rates)
            spread = [rates.min() ?? 0, rates.max() ?? 0]
            row = kernels.row.rawValue
            threads = pool.threads
            self.parameters = parameters
            self.settings = settings
        }
    }

    let weights: ModelWeights
    let kernels: Kernels
    let pool: ComputePool
    let repeats: Int

    /// A bench on a model's directory, or on a random nano model.
    public init(model: String?, kernels: Kernels, threads: Int, repeats: Int) throws {
        self.kernels = kernels
        self.repeats = repeats
        pool = ComputePool(threads: threads)
        weights =
            if let model {
                try ModelDirectory(opening: model).weights(kernels: kernels, pool: pool)
            } else {
                try ModelWeights(
                    master: ModelInitializer.random(ModelShape.nano.configuration, seed: 0), kernels: kernels,
                    pool: pool)
            }
    }

    var configuration: ModelConfiguration { weights.configuration }

    /// Touches every weight, so that no repetition waits for the disk.
    func warmUp() throws {
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let cache = KeyValueCache(configuration, maximumPages: 1)
        let rows = try decoder.forward([Segment(cache.makeSequence(), tokens: tokens(16, seed: 0))], cache: cache)
        _ = decoder.logits(rows)
    }

    func line(_ name: String, _ rates: [Double], _ settings: [String: Int]) -> Line {
        Line(name, rates, kernels: kernels, pool: pool, parameters: weights.layout.parameterCount, settings)
    }

    func tokens(_ count: Int, seed: Int) -> [Int32] {
        Self.tokens(count, seed: seed, vocabulary: configuration.vocabularySize)
    }

    static func tokens(_ count: Int, seed: Int, vocabulary: Int) -> [Int32] {
        var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int32((state >> 33) % UInt64(vocabulary))
        }
    }

    static func group(_ index: Int) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/bench/v1")
        hash.update(littleEndian: UInt64(index))
        return hash.finalize()
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
