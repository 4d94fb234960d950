/// The constants of AdamW that do not change during a run.
public struct AdamWSettings: Sendable, Equatable, Codable {
    /// Decay of the mean gradient.
    public var beta1: Double
    /// Decay of the mean squared gradient.
    public var beta2: Double
    /// Added to the root of the second moment.
    public var epsilon: Double
    /// Decoupled decay: every parameter shrinks by `learning rate · weightDecay` per step.
    public var weightDecay: Double

    /// The demo's constants unless told otherwise.
    public init(beta1: Double = 0.9, beta2: Double = 0.99, epsilon: Double = 1e-8, weightDecay: Double = 0) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }
}
