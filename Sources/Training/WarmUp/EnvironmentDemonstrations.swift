import EnvironmentKit
import Tokenizers

/// Fresh demonstrations of an environment's training tasks at every step.
public struct EnvironmentDemonstrations: DemonstrationSource {
    private let environment: any Environment
    private let tokenizer: any Tokenizer
    private let seed: UInt64
    private let batch: Int
    private let end: Int32?
    private let prompt: @Sendable (EnvironmentTask) throws -> [Int32]

    /// Demonstrations for a seed.
    ///
    /// - Parameters:
    ///   - environment: gives the tasks and the texts; must have demonstrations.
    ///   - tokenizer: turns completions into tokens.
    ///   - seed: the run's seed.
    ///   - batch: demonstrations per step.
    ///   - end: closes every completion; nil for none.
    ///   - prompt: turns a task's prompt into tokens, as the policy will get it.
    public init(
        environment: any Environment, tokenizer: any Tokenizer, seed: UInt64, batch: Int, end: Int32?,
        prompt: @escaping @Sendable (EnvironmentTask) throws -> [Int32]
    ) {
        self.environment = environment
        self.tokenizer = tokenizer
        self.seed = seed
        self.batch = batch
        self.end = end
        self.prompt = prompt
    }

    /// Demonstrations for text prompts, with the tokenizer's own end of sequence.
    public init(environment: any Environment, tokenizer: any Tokenizer, seed: UInt64, batch: Int) {
        self.init(
            environment: environment, tokenizer: tokenizer, seed: seed, batch: batch, end: tokenizer.endOfSequence
        ) { tokenizer.encode($0.prompt) }
    }

    /// A word of its own keeps the tasks of warm-up and reinforcement apart.
    private static let streamWord: UInt64 = 0x7761_726D_2D75_7000

    /// The demonstrations of a step, counted from 1.
    public func demonstrations(at step: Int) throws -> [Demonstration] {
        var seeds = SplitMix64(stream: seed, Self.streamWord)
        let taskSeed = seeds.next()
        return try (0..<batch).map { row in
            let index = UInt64(step) &* UInt64(batch) &+ UInt64(row)
            let task = try environment.task(seed: taskSeed, index: index, split: .train)
            var random = SplitMix64(stream: seed, Self.streamWord, UInt64(step), UInt64(row))
            guard let text = environment.demonstration(of: task, using: &random) else {
                throw DemonstrationError(
                    "environment \(environment.id) has no demonstrations; set warm_up.steps = 0 or start from a model")
            }
            var completion = tokenizer.encode(text)
            if let end { completion.append(end) }
            return Demonstration(prompt: try prompt(task), completion: completion)
        }
    }
}
