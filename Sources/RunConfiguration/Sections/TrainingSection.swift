/// The losses that a run can use.
public enum ObjectiveName: String, Sendable, CaseIterable {
    /// The ratio clipped on both sides.
    case clip
    /// A trust region that masks tokens whose probability moved too far.
    case mask
}

/// `training.clip`: the bounds of the clipped ratio.
public struct ClipSection: ConfigurationSection {
    /// The ratio is clipped to 1 − low … 1 + high.
    public var low = 0.2
    /// The ratio is clipped to 1 − low … 1 + high.
    public var high = 0.2
    /// Bound on the ratio where the advantage is negative.
    public var ratioCap = 4.0

    /// The defaults.
    public init() {}

    /// The keys of the table.
    public static let fields: [ConfigurationField<ClipSection>] = [
        .number("low", \.low, 0...1, "The ratio is clipped to 1 - low ... 1 + high."),
        .number("high", \.high, 0...100, "The ratio is clipped to 1 - low ... 1 + high."),
        .number("ratio_cap", \.ratioCap, 1...1e6, "Bound on the ratio where the advantage is negative."),
    ]
}

/// `training.mask`: the trust region in probabilities.
public struct MaskSection: ConfigurationSection {
    /// Tokens of negative advantage are dropped once their probability fell by more.
    public var low = 0.2
    /// Tokens of positive advantage are dropped once their probability rose by more.
    public var high = 0.2
    /// Weight of the squared log-ratio.
    public var kl = 1e-3

    /// The defaults.
    public init() {}

    /// The keys of the table.
    public static let fields: [ConfigurationField<MaskSection>] = [
        .number("low", \.low, 0...1, "Tokens of negative advantage are dropped once their probability fell by more."),
        .number("high", \.high, 0...1, "Tokens of positive advantage are dropped once their probability rose by more."),
        .number("kl", \.kl, 0...1e3, "Weight of the squared log-ratio."),
    ]
}

/// `[training]`: reinforcement.
public struct TrainingSection: ConfigurationSection {
    /// Optimizer steps of the run.
    public var steps = 60
    /// Groups in a batch.
    public var groupsPerBatch = 64
    /// The loss.
    public var objective = ObjectiveName.clip
    /// AdamW learning rate.
    public var learningRate = 7e-4
    /// Steps over which the learning rate rises from 0.
    public var warmupSteps = 5
    /// AdamW decay of the first and the second moment.
    public var betas = [0.9, 0.99]
    /// AdamW weight decay.
    public var weightDecay = 0.0
    /// Bound on the norm of the gradient.
    public var clipNorm = 0.1
    /// Generation runs at most so many versions ahead.
    public var pace = 1
    /// Older rollouts are refused.
    public var maxStaleness = 4
    /// Steps between checkpoints.
    public var checkpointInterval = 20
    /// Checkpoints that stay on disk.
    public var keepCheckpoints = 3
    /// Bounds of the objective `clip`.
    public var clip = ClipSection()
    /// Bounds of the objective `mask`.
    public var mask = MaskSection()
    /// A low-rank adapter instead of all weights.
    public var lora = AdapterSection()

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<TrainingSection>] = [
        .integer("steps", \.steps, 0...10_000_000, "Optimizer steps of the run."),
        .integer("groups_per_batch", \.groupsPerBatch, 1...1_000_000, "Groups (prompts) in a batch."),
        .choice("objective", \.objective, "The loss."),
        .number("learning_rate", \.learningRate, 0...1, "AdamW learning rate."),
        .integer("warmup_steps", \.warmupSteps, 0...1_000_000, "Steps over which the learning rate rises from 0."),
        .numbers("betas", \.betas, count: 2, 0...0.999_999, "AdamW decay of the first and the second moment."),
        .number("weight_decay", \.weightDecay, 0...1, "AdamW weight decay."),
        .number("clip_norm", \.clipNorm, 0...1e6, "Bound on the norm of the gradient; 0 is off."),
        .integer("pace", \.pace, 0...64, "Generation runs at most so many policy versions ahead of training."),
        .integer("max_staleness", \.maxStaleness, 0...64, "Batch n takes version v only if n - 1 - v is at most this."),
        .integer("checkpoint_interval", \.checkpointInterval, 1...1024, "Steps between checkpoints."),
        .integer("keep_checkpoints", \.keepCheckpoints, 1...1_000_000, "Checkpoints that stay on disk."),
        .section("clip", \.clip, "Bounds of the objective clip."),
        .section("mask", \.mask, "Bounds of the objective mask."),
        .section("lora", \.lora, "Train a low-rank adapter; versions are then published as adapters."),
    ]
}
