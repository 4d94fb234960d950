/// How much the processes say.
public enum LogLevelName: String, Sendable, CaseIterable {
    /// Everything.
    case trace
    /// What a developer wants.
    case debug
    /// What happens.
    case info
    /// What should not happen.
    case warning
    /// What went wrong.
    case error
}

/// `[telemetry]`: what the run writes down for people.
public struct TelemetrySection: ConfigurationSection {
    /// How much the processes say.
    public var logLevel = LogLevelName.info
    /// Whether metrics are written for TensorBoard too.
    public var tensorboard = true
    /// Whether every step's rollouts are written as text.
    public var rollouts = true

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<TelemetrySection>] = [
        .choice("log_level", \.logLevel, "How much the processes say."),
        .flag("tensorboard", \.tensorboard, "Write the metrics for TensorBoard too."),
        .flag("rollouts", \.rollouts, "Write every step's rollouts for people to read."),
    ]
}
