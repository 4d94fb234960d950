/// Settings of reinforcement that are known to work for an environment.
///
/// The defaults are those of the demo: 64 prompts with 8 samples each per step, one optimizer step per batch.
public struct ReinforcementPlan: Sendable, Hashable {
    /// Optimizer steps.
    public var steps: Int
    /// Groups (prompts) in a batch.
    public var groupsPerBatch: Int
    /// Samples per prompt.
    public var groupSize: Int
    /// Sampling temperature.
    public var temperature: Double
    /// AdamW learning rate, constant after the warm-up steps.
    public var learningRate: Double
    /// Steps over which the learning rate rises from 0.
    public var warmUpSteps: Int
    /// AdamW decay of the first and the second moment.
    public var betas: [Double]
    /// AdamW weight decay.
    public var weightDecay: Double
    /// Bound on the norm of the gradient.
    public var clipNorm: Double
    /// The ratio is clipped to 1 − clipLow … 1 + clipHigh.
    public var clipLow: Double
    /// The ratio is clipped to 1 − clipLow … 1 + clipHigh.
    public var clipHigh: Double
    /// Bound on the ratio where the advantage is negative.
    public var ratioCap: Double
    /// What people can expect, with the numbers that were measured.
    public var expectation: String

    /// A plan; the defaults are the demo's.
    public init(
        steps: Int = 60, groupsPerBatch: Int = 64, groupSize: Int = 8, temperature: Double = 1,
        learningRate: Double = 7e-4, warmUpSteps: Int = 5, betas: [Double] = [0.9, 0.99], weightDecay: Double = 0,
        clipNorm: Double = 0.1, clipLow: Double = 0.2, clipHigh: Double = 0.2, ratioCap: Double = 4,
        expectation: String = ""
    ) {
        self.steps = steps
        self.groupsPerBatch = groupsPerBatch
        self.groupSize = groupSize
        self.temperature = temperature
        self.learningRate = learningRate
        self.warmUpSteps = warmUpSteps
        self.betas = betas
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
        self.clipLow = clipLow
        self.clipHigh = clipHigh
        self.ratioCap = ratioCap
        self.expectation = expectation
    }
}
