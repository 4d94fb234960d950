import EnvironmentKit
import Generation
import Identity
import Sampling
import Tensors
import Tokenizers
import Transformer

/// How well a model does on an environment's tasks: the same tasks and the same noise for every model, so that two
/// models are compared and not two draws.
public struct PolicyEvaluation: Sendable {
    /// One completion and what it earned.
    public struct Attempt: Sendable {
        /// The prompt's place among those evaluated.
        public let prompt: Int
        /// The prompt.
        public let promptText: String
        /// The completion, without the stop token.
        public let completion: String
        /// Its reward.
        public let reward: Double
    }

    /// The environment.
    public let environment: any Environment
    /// Which problems.
    public var split = Split.heldOut
    /// How many prompts.
    public var prompts: Int
    /// Attempts at each.
    public var attempts: Int
    /// 0 is greedy.
    public var temperature: Float
    /// Chooses the tasks and the noise.
    public var seed: UInt64
    /// No completion is longer; nil is the environment's own limit.
    public var maximumTokens: Int?

    /// An evaluation on held-out prompts.
    public init(
        environment: any Environment, prompts: Int, attempts: Int = 1, temperature: Float = 1, seed: UInt64 = 0
    ) {
        self.environment = environment
        self.prompts = prompts
        self.attempts = attempts
        self.temperature = temperature
        self.seed = seed
    }

    /// Evaluates the model of a Hugging Face directory, with an adapter merged into it if one is named.
    ///
    /// - Returns: Every attempt, prompt after prompt.
    /// - Throws: A grader's own failure too: it is no reward of 0.
    public func run(
        modelDirectory: String, adapterDirectory: String? = nil, kernels: Kernels, pool: ComputePool
    ) async throws -> [Attempt] {
        let model = try ModelDirectory(opening: modelDirectory)
        let adapter = try adapterDirectory.map { try AdapterDirectory(opening: $0) }
        let encoder = try PromptEncoder(directory: modelDirectory, configuration: model.configuration)
        let tasks = try (0..<prompts).map { try environment.task(seed: seed, index: UInt64($0), split: split) }
        let limit = encoder.longestPrompt(maximumTokens: maximumTokens ?? environment.maximumCompletionTokens)
        let promptTokens = try tasks.map { try encoder.tokens(of: $0, limit: limit) }
        let results = try generate(promptTokens, model, adapter, encoder.tokenizer, kernels, pool)
        var attempts: [Attempt] = []
        for (index, task) in tasks.enumerated() {
            for sample in results[index] {
                let finished = sample.finishReason == .stop
                let bytes = encoder.tokenizer.decode(
                    finished ? Array(sample.tokens.dropLast()) : sample.tokens, skippingSpecial: true)
                let reward = try await environment.score(completion: bytes, finished: finished, of: task)
                attempts.append(
                    Attempt(
                        prompt: index, promptText: task.prompt, completion: String(decoding: bytes, as: UTF8.self),
                        reward: reward))
            }
        }
        return attempts
    }

    private func generate(
        _ prompts: [[Int32]], _ model: ModelDirectory, _ adapter: AdapterDirectory?, _ tokenizer: any Tokenizer,
        _ kernels: Kernels, _ pool: ComputePool
    ) throws -> [[SampleResult]] {
        let engine = GenerationEngine(
            weights: try model.weights(adapter: adapter, kernels: kernels, pool: pool), kernels: kernels, pool: pool,
            context: GenerationContext(runID: .zero, workerKey: nil),
            limits: GenerationLimits(sequences: 256, cacheBytes: 512 << 20, configuration: model.configuration))
        let parameters = SamplingParameters(
            samples: attempts, maximumTokens: maximumTokens ?? environment.maximumCompletionTokens,
            temperature: temperature,
            stopTokens: try StartingModel.generation(of: model, tokenizer).stopTokens)
        var places: [Hash256: Int] = [:]
        var results = [[SampleResult]](repeating: [], count: prompts.count)
        var next = 0
        while next < prompts.count || !engine.isIdle {
            while next < prompts.count, engine.pendingGroups < 256 {
                let group = Self.groupID(seed: seed, index: next)
                places[group] = next
                try engine.add(GroupRequest(groupID: group, promptTokens: prompts[next], parameters: parameters))
                next += 1
            }
            for finished in try engine.step() {
                if let place = places[finished.groupID] { results[place] = finished.samples }
            }
        }
        return results
    }

    private static func groupID(seed: UInt64, index: Int) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/eval/v1")
        hash.update(littleEndian: seed)
        hash.update(littleEndian: UInt32(index))
        return hash.finalize()
    }
}

extension [PolicyEvaluation.Attempt] {
    /// The mean reward over all attempts.
    public var meanReward: Double { isEmpty ? 0 : reduce(0) { $0 + $1.reward } / Double(count) }
}
