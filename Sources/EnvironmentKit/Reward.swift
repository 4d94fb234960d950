/// A way to judge a completion against a known answer, for datasets and for environments that want to share it.
///
/// One type in one file of `rewards/`, named as the file, is all it takes.
public protocol Reward: Sendable {
    /// The name in run files: kebab-case, unique.
    static var id: String { get }

    /// One sentence for people.
    static var summary: String { get }

    /// A reward with options.
    ///
    /// - Throws: An ``EnvironmentError`` that names the option that cannot be used.
    init(options: EnvironmentOptions) throws

    /// How good a completion is, from 0 to 1.
    ///
    /// - Parameters:
    ///   - completion: The text before the stop token.
    ///   - finished: Whether the policy ended with a stop token.
    ///   - task: The task; `answer` is the golden answer.
    /// - Throws: When the grader itself fails, for instance because the task has no answer. Never a reward of 0.
    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) async throws -> Double
}

extension Reward {
    /// The name of this value's type in run files.
    public var id: String { Self.id }
}
