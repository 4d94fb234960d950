import JSON

/// A source of tasks and the judge of their completions.
///
/// One type in one file of `environments/`, named as the file, is all it takes: the registry finds it. Most built-in
/// environments conform to ``GeneratedEnvironment``, which supplies everything but the problems.
///
/// > Important: A task depends on nothing but (options, seed, index, split), and a score on nothing but the task and
/// > the completion. Workers and verifiers never run this code; the lab does.
public protocol Environment: Sendable {
    /// The name in run files and on the wire: kebab-case, unique.
    static var id: String { get }

    /// One sentence for people.
    static var summary: String { get }

    /// An environment with the options of `[environment.options]`.
    ///
    /// - Throws: An ``EnvironmentError`` that names the option that cannot be used.
    init(options: EnvironmentOptions) throws

    /// The options in force, defaults included; they are part of the environment's hash.
    var options: EnvironmentOptions { get }

    /// No completion may be longer, the stop token included.
    var maximumCompletionTokens: Int { get }

    /// How a fresh model learns the format before reinforcement; nil if the environment has no demonstrations.
    var warmUp: WarmUpPlan? { get }

    /// Settings of reinforcement that are known to work here; a run file overrides each of them.
    var reinforcement: ReinforcementPlan { get }

    /// The task at a place in the endless sequence of a split.
    func task(seed: UInt64, index: UInt64, split: Split) throws -> EnvironmentTask

    /// How many different tasks a split has; nil where they are drawn without end.
    func taskCount(of split: Split) -> Int?

    /// How good a completion is, from 0 to 1.
    ///
    /// - Parameters:
    ///   - completion: The text before the stop token. Bytes, because a policy may write invalid UTF-8.
    ///   - finished: Whether the policy ended with a stop token, rather than by running into the limit.
    ///   - task: The task that was asked.
    /// - Throws: When the grader itself fails. That is a third state: it is never a reward of 0.
    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) async throws -> Double

    /// How many completions the lab may have judged at once.
    var concurrentScores: Int { get }

    /// A completion to imitate in warm-up, without the stop token; deliberately often wrong (see ``WarmUpPlan``).
    func demonstration(of task: EnvironmentTask, using random: inout SplitMix64) -> String?
}

extension Environment {
    /// No warm-up.
    public var warmUp: WarmUpPlan? { nil }

    /// The plan that worked for the demo.
    public var reinforcement: ReinforcementPlan { ReinforcementPlan() }

    /// Tasks without end.
    public func taskCount(of split: Split) -> Int? { nil }

    /// Four at once.
    public var concurrentScores: Int { 4 }

    /// No demonstrations.
    public func demonstration(of task: EnvironmentTask, using random: inout SplitMix64) -> String? { nil }

    /// The name of this value's type in run files.
    public var id: String { Self.id }
}

/// The options of an environment or a reward: the table `[environment.options]`.
public typealias EnvironmentOptions = [String: JSONValue]
