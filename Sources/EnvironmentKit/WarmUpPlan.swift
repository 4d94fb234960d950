/// How a fresh model learns an environment's format by imitation before reinforcement starts.
///
/// The demonstrations are of mixed quality on purpose. A policy that imitates them is right about as often as they
/// are, which leaves reinforcement something to select: it does not teach a new skill, it cleans up one that is
/// already a minority of the policy's behaviour. People who read a reward curve should be told so (``note``).
public struct WarmUpPlan: Sendable, Hashable {
    /// Optimizer steps.
    public var steps: Int
    /// Fresh demonstrations per step.
    public var batch: Int
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
    /// Share of demonstrations that are right on purpose.
    public var correctShare: Double
    /// Share of demonstrations that are right although a mistake was drawn, such as a sum without any carry.
    public var accidentalShare: Double
    /// What people should know about the demonstrations.
    public var note: String

    /// A plan; the defaults are those of every built-in environment.
    public init(
        steps: Int, batch: Int = 64, learningRate: Double = 3e-3, warmUpSteps: Int = 20, betas: [Double] = [0.9, 0.99],
        weightDecay: Double = 0.01, clipNorm: Double = 1, correctShare: Double, accidentalShare: Double = 0,
        note: String
    ) {
        self.steps = steps
        self.batch = batch
        self.learningRate = learningRate
        self.warmUpSteps = warmUpSteps
        self.betas = betas
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
        self.correctShare = correctShare
        self.accidentalShare = accidentalShare
        self.note = note
    }
}
