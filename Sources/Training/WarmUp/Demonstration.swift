/// A prompt and a completion to imitate, the stop token included.
public struct Demonstration: Sendable, Equatable {
    /// The prompt's tokens; never learned from.
    public var prompt: [Int32]
    /// The tokens to imitate.
    public var completion: [Int32]

    /// A demonstration from its parts.
    public init(prompt: [Int32], completion: [Int32]) {
        self.prompt = prompt
        self.completion = completion
    }
}

/// Where demonstrations come from.
///
/// A batch depends on nothing but the source and the step, so that a warm-up can go on from a checkpoint.
public protocol DemonstrationSource: Sendable {
    /// The demonstrations of a step, counted from 1.
    func demonstrations(at step: Int) throws -> [Demonstration]
}

/// Why demonstrations could not be read or learned from.
public struct DemonstrationError: Error, CustomStringConvertible, Sendable, Equatable {
    /// One sentence: what is wrong, where, and what to do.
    public var description: String

    init(_ description: String) {
        self.description = description
    }
}
