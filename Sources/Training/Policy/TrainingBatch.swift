/// One sampled completion, as the trainer needs it.
public struct TrainingRollout: Sendable, Equatable {
    /// The sampled tokens, the stop token included.
    public var completion: [Int32]
    /// The audited log-probability of each sampled token under the weights that sampled it: μ in the loss.
    public var behaviorLogProbabilities: [Float]
    /// What the worker reported, compared and otherwise unused; empty when there is nothing to compare.
    public var reportedLogProbabilities: [Float]
    /// The reward that the lab's scorer gave.
    public var reward: Double

    /// A rollout from its parts.
    public init(
        completion: [Int32], behaviorLogProbabilities: [Float], reportedLogProbabilities: [Float] = [], reward: Double
    ) {
        self.completion = completion
        self.behaviorLogProbabilities = behaviorLogProbabilities
        self.reportedLogProbabilities = reportedLogProbabilities
        self.reward = reward
    }
}

/// All rollouts of one prompt.
public struct TrainingGroup: Sendable, Equatable {
    /// The prompt's tokens.
    public var prompt: [Int32]
    /// The rollouts; the advantage of each is taken against all of them.
    public var rollouts: [TrainingRollout]
    /// The policy version that sampled the group.
    public var version: Int

    /// A group from its parts.
    public init(prompt: [Int32], rollouts: [TrainingRollout], version: Int) {
        self.prompt = prompt
        self.rollouts = rollouts
        self.version = version
    }
}

/// What one optimizer step learns from.
///
/// Batch n trains the weights of version n − 1 and makes version n.
public struct TrainingBatch: Sendable, Equatable {
    /// The step, counted from 1.
    public var step: Int
    /// The groups, in an order that everybody who replays the step shares.
    public var groups: [TrainingGroup]

    /// A batch from its parts.
    public init(step: Int, groups: [TrainingGroup]) {
        self.step = step
        self.groups = groups
    }
}

/// Why a batch cannot be trained on.
public struct TrainingBatchError: Error, CustomStringConvertible, Sendable, Equatable {
    /// What was found.
    public var what: String
    /// Where: the group's place in the batch, and the rollout's in the group.
    public var place: String

    /// One sentence.
    public var description: String {
        "batch refused at \(place): \(what); the orchestrator must not send such a group"
    }
}

extension TrainingBatch {
    /// Checks every length and number of the batch before anything is computed from it.
    ///
    /// - Parameter maximumLength: positions of the model; a rollout's last token is never fed and takes none.
    /// - Throws: ``TrainingBatchError`` naming the first fault.
    public func validate(vocabularySize: Int, maximumLength: Int) throws(TrainingBatchError) {
        if groups.isEmpty { throw TrainingBatchError(what: "it holds no groups", place: "the batch") }
        for number in groups.indices {
            try validate(group: number, vocabularySize: vocabularySize, maximumLength: maximumLength)
        }
    }

    /// The groups that cannot be trained on, by their places, so that each can be left out.
    public func faults(vocabularySize: Int, maximumLength: Int) -> [Int: TrainingBatchError] {
        var faults: [Int: TrainingBatchError] = [:]
        for number in groups.indices {
            do throws(TrainingBatchError) {
                try validate(group: number, vocabularySize: vocabularySize, maximumLength: maximumLength)
            } catch {
                faults[number] = error
            }
        }
        return faults
    }

    private func validate(
        group number: Int, vocabularySize: Int, maximumLength: Int
    ) throws(TrainingBatchError) {
        let group = groups[number]
        let place = "group \(number)"
        if group.prompt.isEmpty { throw TrainingBatchError(what: "the prompt is empty", place: place) }
        if group.rollouts.isEmpty { throw TrainingBatchError(what: "it has no rollouts", place: place) }
        if group.version < 0 || group.version >= step {
            throw TrainingBatchError(
                what: "version \(group.version) cannot have sampled for step \(step)", place: place)
        }
        try Self.check(tokens: group.prompt, below: vocabularySize, place: place)
        for (index, rollout) in group.rollouts.enumerated() {
            let place = "group \(number), rollout \(index)"
            let count = rollout.completion.count
            if count == 0 { throw TrainingBatchError(what: "the completion is empty", place: place) }
            let fed = group.prompt.count + count - 1
            if fed > maximumLength {
                throw TrainingBatchError(what: "\(fed) fed tokens exceed the limit of \(maximumLength)", place: place)
            }
            try Self.check(tokens: rollout.completion, below: vocabularySize, place: place)
            if !rollout.reward.isFinite { throw TrainingBatchError(what: "the reward is not finite", place: place) }
            let reported = rollout.reportedLogProbabilities
            if rollout.behaviorLogProbabilities.count != count || !(reported.isEmpty || reported.count == count) {
                throw TrainingBatchError(what: "log-probabilities do not match \(count) tokens", place: place)
            }
            if !(rollout.behaviorLogProbabilities + reported).allSatisfy({ $0.isFinite && $0 <= 0.01 }) {
                throw TrainingBatchError(what: "a log-probability is not a finite number up to 0", place: place)
            }
        }
    }

    private static func check(tokens: [Int32], below limit: Int, place: String) throws(TrainingBatchError) {
        guard let wrong = tokens.first(where: { $0 < 0 || $0 >= limit }) else { return }
        throw TrainingBatchError(what: "token \(wrong) is outside of the vocabulary of \(limit)", place: place)
    }
}
