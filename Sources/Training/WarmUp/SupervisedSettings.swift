import EnvironmentKit

/// How a warm-up learns: what a run file's `[warm_up]` table says.
public struct SupervisedSettings: Sendable, Equatable {
    /// The learning rate over steps.
    public var schedule: LearningRateSchedule
    /// The optimizer's constants.
    public var optimizer: AdamWSettings
    /// The bound on the gradient.
    public var clipping: GradientClipping

    /// The demo's settings unless told otherwise.
    public init(
        schedule: LearningRateSchedule = LearningRateSchedule(peak: 3e-3, warmUpSteps: 20),
        optimizer: AdamWSettings = AdamWSettings(weightDecay: 0.01),
        clipping: GradientClipping = GradientClipping(maximumNorm: 1)
    ) {
        self.schedule = schedule
        self.optimizer = optimizer
        self.clipping = clipping
    }

    /// The settings of an environment's own plan.
    public init(_ plan: WarmUpPlan) {
        self.init(
            schedule: LearningRateSchedule(peak: plan.learningRate, warmUpSteps: plan.warmUpSteps),
            optimizer: AdamWSettings(
                beta1: plan.betas.first ?? 0.9, beta2: plan.betas.dropFirst().first ?? 0.99,
                weightDecay: plan.weightDecay),
            clipping: GradientClipping(maximumNorm: plan.clipNorm))
    }
}
