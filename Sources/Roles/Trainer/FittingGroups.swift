import Messages
import Training

extension UnreplayedGroups.Completed {
    /// The batch of these groups.
    func batch(step: UInt64) -> TrainingBatch {
        TrainingBatch(step: Int(step), groups: groups.map(TrainingGroup.init))
    }

    /// Leaves out groups that cannot be trained on, and names them as unavailable.
    ///
    /// What is wrong with one group costs that group, not the trainer: a batch is the same for ever, so a step that
    /// failed by it would fail at every start.
    ///
    /// - Parameter faults: What is wrong with groups, by their places.
    mutating func leaveOut(_ faults: [Int: TrainingBatchError]) {
        for (place, fault) in faults.sorted(by: { $0.key < $1.key }) {
            unavailable.append(.init(groups[place], "it cannot be trained on: \(fault.what)"))
        }
        groups = groups.indices.filter { faults[$0] == nil }.map { groups[$0] }
    }
}
