/// `[warm_up]`: imitation of demonstrations before reinforcement.
public struct WarmUpSection: ConfigurationSection {
    /// Optimizer steps; 0 switches the warm-up off.
    public var steps = 0
    /// Demonstrations in a step.
    public var batch = 64
    /// AdamW learning rate.
    public var learningRate = 3e-3
    /// Steps over which the learning rate rises from 0.
    public var warmupSteps = 20
    /// AdamW decay of the first and the second moment.
    public var betas = [0.9, 0.99]
    /// AdamW weight decay.
    public var weightDecay = 0.01
    /// Bound on the norm of the gradient.
    public var clipNorm = 1.0
    /// A low-rank adapter instead of all weights.
    public var lora = AdapterSection()

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<WarmUpSection>] = [
        .integer("steps", \.steps, 0...10_000_000, "Optimizer steps; 0 switches the warm-up off."),
        .integer("batch", \.batch, 1...1_000_000, "Demonstrations in a step."),
        .number("learning_rate", \.learningRate, 0...1, "AdamW learning rate."),
        .integer("warmup_steps", \.warmupSteps, 0...1_000_000, "Steps over which the learning rate rises from 0."),
        .numbers("betas", \.betas, count: 2, 0...0.999_999, "AdamW decay of the first and the second moment."),
        .number("weight_decay", \.weightDecay, 0...1, "AdamW weight decay."),
        .number("clip_norm", \.clipNorm, 0...1e6, "Bound on the norm of the gradient; 0 is off."),
        .section("lora", \.lora, "Train a low-rank adapter."),
    ]
}
