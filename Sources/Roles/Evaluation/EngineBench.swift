import Foundation
import Generation
import Identity
import Sampling
import Tensors
import Training
import Transformer
import Verification

/// Times the engine on random tokens: what `apus bench` prints.
public struct EngineBench {
    /// One figure with its settings.
    public struct Line: Encodable, Sendable {
        /// What was timed.
        public let bench: String
        /// The median rate.
        public let tokensPerSecond: Double
        /// Prompt tokens per second, where prompts were computed too.
        public var prefillTokensPerSecond: Double?
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
    }

    private let weights: ModelWeights
    private let kernels: Kernels
    private let pool: ComputePool
    private let repeats: Int

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

    private var configuration: ModelConfiguration { weights.configuration }

    /// New tokens ÷ decode seconds: the first token of every sequence belongs to its prefill.
    public func generate(batch: Int, prompt: Int, new: Int) throws -> Line {
        var decode: [Double] = []
        var prefill: [Double] = []
        for round in 0..<repeats {
            let pages = batch * ((prompt + new + 15) / 16 + 1) * 2
            let engine = GenerationEngine(
                weights: weights, kernels: kernels, pool: pool,
                context: GenerationContext(runID: .zero, workerKey: nil),
                // All prompts first, then all tokens: each has its own rate.
                limits: GenerationLimits(sequences: batch, pages: pages, promptRows: batch * prompt))
            let parameters = SamplingParameters(samples: 1, maximumTokens: new, temperature: 1, stopTokens: [])
            for index in 0..<batch {
                try engine.add(
                    GroupRequest(
                        groupID: Self.group(round * batch + index), promptTokens: tokens(prompt, seed: index),
                        parameters: parameters))
            }
            let began = ContinuousClock.now
            _ = try engine.step()
            let filled = ContinuousClock.now
            while !engine.isIdle { _ = try engine.step() }
            prefill.append(Double(batch * prompt) / (began.duration(to: filled) / .seconds(1)))
            decode.append(Double(batch * max(1, new - 1)) / (filled.duration(to: .now) / .seconds(1)))
        }
        var line = line("generate", decode, ["batch": batch, "prompt": prompt, "new": new])
        line.prefillTokensPerSecond = Self.median(prefill)
        return line
    }

    /// Prompt tokens per second, one row of logits per prompt not included.
    public func prefill(batch: Int, length: Int) throws -> Line {
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let rates = try (0..<repeats).map { _ in
            let cache = KeyValueCache(configuration, maximumPages: batch * ((length + 15) / 16 + 1))
            let segments = (0..<batch).map { Segment(cache.makeSequence(), tokens: tokens(length, seed: $0)) }
            let began = ContinuousClock.now
            _ = try decoder.forward(segments, cache: cache)
            return Double(batch * length) / (began.duration(to: .now) / .seconds(1))
        }
        return line("prefill", rates, ["batch": batch, "length": length])
    }

    /// Tokens per second of whole training steps.
    public func train(batch: Int, length: Int) throws -> Line {
        let master = MasterWeights(widening: weights)
        let warmUp = try SupervisedWarmUp(
            state: TrainingState(master: master),
            settings: SupervisedSettings(schedule: LearningRateSchedule(peak: 1e-5, warmUpSteps: 1)), kernels: kernels,
            pool: pool)
        let demonstrations = (0..<batch).map { index in
            let all = tokens(length, seed: index)
            return Demonstration(prompt: [all[0]], completion: Array(all.dropFirst()))
        }
        _ = try warmUp.step(demonstrations)
        let rates = try (0..<repeats).map { _ in
            let began = ContinuousClock.now
            _ = try warmUp.step(demonstrations)
            return Double(batch * length) / (began.duration(to: .now) / .seconds(1))
        }
        return line("train", rates, ["batch": batch, "length": length])
    }

    /// Completion tokens replayed per second.
    public func verify(groups: Int, prompt: Int, new: Int) throws -> Line {
        let replayer = Replayer(
            weights: weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: 2 << 30, configuration: configuration))
        let parameters = SamplingParameters(samples: 8, maximumTokens: new, temperature: 1, stopTokens: [])
        let requests = (0..<groups).map { group in
            ReplayRequest(
                runID: .zero, groupID: Self.group(group), workerKey: SigningKey().publicKey,
                promptTokens: tokens(prompt, seed: group), parameters: parameters,
                completions: (0..<8).map { tokens(new, seed: 1000 + group * 8 + $0) })
        }
        let rates = try (0..<repeats).map { _ in
            let began = ContinuousClock.now
            _ = try replayer.replay(requests)
            return Double(groups * 8 * new) / (began.duration(to: .now) / .seconds(1))
        }
        return line("verify", rates, ["groups": groups, "samples": 8, "prompt": prompt, "new": new])
    }

    private func line(_ name: String, _ rates: [Double], _ settings: [String: Int]) -> Line {
        Line(
            bench: name, tokensPerSecond: Self.median(rates), spread: [rates.min() ?? 0, rates.max() ?? 0],
            row: kernels.row.rawValue, threads: pool.threads, parameters: weights.layout.parameterCount,
            settings: settings)
    }

    private func tokens(_ count: Int, seed: Int) -> [Int32] {
        var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int32((state >> 33) % UInt64(configuration.vocabularySize))
        }
    }

    private static func group(_ index: Int) -> Hash256 {
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
