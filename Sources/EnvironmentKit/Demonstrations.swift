/// The demonstrations of a warm-up, batch by batch: the same step of the same seed is always the same batch.
public struct Demonstrations: Sendable {
    /// What a policy is to imitate.
    public struct Example: Sendable, Hashable {
        /// What it reads; nothing is learned from it.
        public var prompt: String
        /// What it learns to write, without the stop token that must follow it.
        public var completion: String

        /// An example from its parts.
        public init(prompt: String, completion: String) {
            self.prompt = prompt
            self.completion = completion
        }
    }

    private let environment: any Environment
    private let seed: UInt64

    /// The demonstrations of an environment.
    ///
    /// - Parameters:
    ///   - environment: An environment with a ``WarmUpPlan``.
    ///   - seed: The run's seed; warm-up draws from other streams than reinforcement.
    public init(environment: any Environment, seed: UInt64) {
        self.environment = environment
        self.seed = SplitMix64(stream: seed, 0x5741_524D).firstWord
    }

    /// The batch of a step, from 0.
    ///
    /// - Throws: When the environment has no demonstrations, or cannot make a task.
    public func batch(step: Int, count: Int) throws -> [Example] {
        try (0..<count).map { row in
            let index = UInt64(step) &* UInt64(count) &+ UInt64(row)
            let task = try environment.task(seed: seed, index: index, split: .train)
            var random = SplitMix64(stream: seed, index, 2)
            guard let completion = environment.demonstration(of: task, using: &random) else {
                throw EnvironmentError(
                    .noTask, at: environment.id, "this environment has no demonstrations; set warm_up.steps = 0")
            }
            return Example(prompt: task.prompt, completion: completion)
        }
    }
}

extension SplitMix64 {
    /// The first word of a stream, as a seed for another one.
    fileprivate var firstWord: UInt64 {
        var copy = self
        return copy.next()
    }
}
