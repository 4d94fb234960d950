/// A problem that code has drawn.
public struct Problem: Sendable, Hashable {
    /// What the policy reads.
    public var prompt: String
    /// The golden answer, without the stop token.
    public var answer: String
    /// The same text for every prompt that asks the same thing; the held-out split hashes it.
    public var canonicalForm: String

    /// A problem from its parts.
    public init(prompt: String, answer: String, canonicalForm: String) {
        self.prompt = prompt
        self.answer = answer
        self.canonicalForm = canonicalForm
    }
}

/// An environment whose problems are drawn by code, without end.
///
/// Supply ``problem(using:)``, and ``mistake(about:using:)`` if there is a warm-up; the rest has a default.
public protocol GeneratedEnvironment: Environment {
    /// Draws a problem, of either split.
    func problem(using random: inout SplitMix64) -> Problem

    /// A typical wrong answer to imitate in warm-up, without the stop token.
    func mistake(about task: EnvironmentTask, using random: inout SplitMix64) -> String

    /// How good a completion is, from 0 to 1; by default 1 for the exact answer and 0 for everything else.
    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double
}

extension GeneratedEnvironment {
    /// Draws until a problem of the wanted split appears: one draw in train, ten in held-out, on average.
    public func task(seed: UInt64, index: UInt64, split: Split) throws -> EnvironmentTask {
        var random = SplitMix64(stream: seed, index, split.streamWord)
        let attempts = 10_000
        for _ in 0..<attempts {
            let problem = problem(using: &random)
            guard Split.containing(canonicalProblem: problem.canonicalForm) == split else { continue }
            return EnvironmentTask(
                id: EnvironmentTask.identifier(seed: seed, index: index, split: split), prompt: problem.prompt,
                answer: problem.answer)
        }
        throw EnvironmentError(
            .noTask, at: Self.id,
            "none of \(attempts) problems lies in the split \(split.rawValue); the options leave too few problems")
    }

    /// The golden answer in the stated share of cases, a mistake otherwise.
    public func demonstration(of task: EnvironmentTask, using random: inout SplitMix64) -> String? {
        guard let warmUp else { return nil }
        return random.chance(warmUp.correctShare) ? task.answer : mistake(about: task, using: &random)
    }

    /// 1 for exactly the golden answer followed by the stop token, 0 for anything else.
    public func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        guard let answer = task.answer else {
            throw EnvironmentError(.grader, at: Self.id, "the task \(task.id) has no golden answer to compare with")
        }
        return finished && completion.answerBytes.elementsEqual(answer.utf8) ? 1 : 0
    }

    /// No mistakes: for environments without warm-up.
    public func mistake(about task: EnvironmentTask, using random: inout SplitMix64) -> String { task.answer ?? "" }

    /// An environment without options.
    public var options: EnvironmentOptions { [:] }
}
