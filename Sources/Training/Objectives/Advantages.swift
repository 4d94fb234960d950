/// How much better than its group each rollout was.
public enum Advantages {
    /// Reward minus the group's mean, without dividing by the deviation.
    ///
    /// Division by the deviation would make a nearly solved prompt as loud as an open one. A group whose rewards are
    /// all equal gets exact zeros, so that callers may test for them.
    public static func groupMean(_ rewards: [Double]) -> [Double] {
        guard let first = rewards.first else { return [] }
        if rewards.allSatisfy({ $0 == first }) { return rewards.map { _ in 0 } }
        let mean = rewards.reduce(0, +) / Double(rewards.count)
        return rewards.map { $0 - mean }
    }
}
