import Transformer

/// Everything that a training step changes: f32 weights, AdamW's moments and two counters.
///
/// A checkpoint is this and nothing else, so that training on from a checkpoint equals never having stopped.
public final class TrainingState {
    /// The weights in f32; the model that samples is their rounding to bf16.
    public let master: MasterWeights
    /// AdamW's mean gradient, laid out as the weights.
    public let firstMoments: MasterWeights
    /// AdamW's mean squared gradient, laid out as the weights.
    public let secondMoments: MasterWeights
    /// The last finished step; 0 before the first.
    public internal(set) var step: Int
    /// Optimizer updates applied, which is less than `step` when steps were skipped.
    public internal(set) var updates: Int

    /// A state before the first step: given weights, zero moments.
    public init(master: MasterWeights) {
        self.master = master
        firstMoments = MasterWeights(layout: master.layout)
        secondMoments = MasterWeights(layout: master.layout)
        step = 0
        updates = 0
    }

    /// A state that a checkpoint fills in.
    init(layout: ParameterLayout, step: Int, updates: Int) {
        master = MasterWeights(layout: layout)
        firstMoments = MasterWeights(layout: layout)
        secondMoments = MasterWeights(layout: layout)
        self.step = step
        self.updates = updates
    }
}
