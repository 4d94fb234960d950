/// What decides whether a rollout is accepted.
public enum AuditPolicy: String, Sendable, CaseIterable {
    /// A replay in the canonical arithmetic must be equal, bit for bit.
    case exact
    /// Activations must be close, whatever the engine.
    case toploc
    /// The one for workers under the canonical arithmetic, the other for those that declare a foreign engine.
    case both
}

/// `[audit]`: what is checked before work counts.
public struct AuditSection: ConfigurationSection {
    /// Mismatches after which stake burns.
    public var strikes = 3
    /// What decides.
    public var policy = AuditPolicy.exact
    /// Seconds that a verifier has for a group.
    public var timeoutSeconds = 60.0
    /// Seconds that the lab's scorers have for a group.
    public var scoringTimeoutSeconds = 300.0

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<AuditSection>] = [
        .integer("strikes", \.strikes, 1...1_000, "Mismatches after which stake burns."),
        .choice(
            "policy", \.policy,
            "What decides: an equal replay, close activations, or each for its kind of worker. Only with toploc or both may "
                + "foreign engines join."),
        .number("timeout_seconds", \.timeoutSeconds, 1...86_400, "Time for a group; then another verifier gets it."),
        .number(
            "scoring_timeout_seconds", \.scoringTimeoutSeconds, 1...86_400,
            "Time for a group's rewards; then the group is audited again, nobody blamed."),
    ]
}
