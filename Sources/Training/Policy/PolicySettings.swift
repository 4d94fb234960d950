/// How a policy is trained: what a run file's `[training]` table says.
public struct PolicySettings: Sendable {
    /// The algorithm.
    public var objective: any Objective
    /// The learning rate over steps.
    public var schedule: LearningRateSchedule
    /// The optimizer's constants.
    public var optimizer: AdamWSettings
    /// The bound on the gradient.
    public var clipping: GradientClipping
    /// The sampling temperature, by which logits are divided here too.
    public var temperature: Float

    /// The demo's settings unless told otherwise.
    public init(
        objective: any Objective = TwoSidedClip(),
        schedule: LearningRateSchedule = LearningRateSchedule(peak: 7e-4, warmUpSteps: 5),
        optimizer: AdamWSettings = AdamWSettings(), clipping: GradientClipping = GradientClipping(maximumNorm: 0.1),
        temperature: Float = 1
    ) {
        self.objective = objective
        self.schedule = schedule
        self.optimizer = optimizer
        self.clipping = clipping
        self.temperature = temperature
    }
}
