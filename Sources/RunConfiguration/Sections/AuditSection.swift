/// What decides whether a rollout is accepted.
public enum AuditPolicy: String, Sendable, CaseIterable {
    /// A replay in the canonical arithmetic must be equal, bit for bit.
    case exact
    /// Activations must be close, whatever the engine.
    case toploc
    /// The one for workers under the canonical arithmetic, the other for those that declare a foreign engine.
    case both
}

/// Which groups a verifier replays.
public enum AuditMode: String, Sendable, CaseIterable {
    /// Every group.
    case all
    /// Every group of a worker until it is trusted, then a drawn part of its groups.
    case adaptive
}

/// `[audit]`: what is checked before work counts.
public struct AuditSection: ConfigurationSection {
    /// Which groups are audited.
    public var mode = AuditMode.adaptive
    /// The smallest share of a trusted worker's groups that is audited.
    public var floor = 0.05
    /// Verified groups in a row after which a worker is trusted.
    public var trustedAfter = 10
    /// The share of known good groups among a verifier's audits.
    public var plantRate = 0.02
    /// The share of accepted groups that another verifier replays again.
    public var reauditRate = 0.02
    /// Groups after which the secret of the draws changes.
    public var epochGroups = 256
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
        .choice("mode", \.mode, "Whether all groups are audited, or a drawn part of those of trusted workers."),
        .number("floor", \.floor, 0.001...1, "No smaller share of a trusted worker's groups is audited."),
        .integer(
            "trusted_after", \.trustedAfter, 1...100_000,
            "Verified groups in a row, counted in FLOPs, after which a worker is trusted."),
        .number("plant_rate", \.plantRate, 0...0.5, "Known good groups among a verifier's audits."),
        .number("reaudit_rate", \.reauditRate, 0...1, "Accepted groups that another verifier replays again."),
        .integer(
            "epoch_groups", \.epochGroups, 1...1_000_000, "Groups after which the secret of the draws changes."),
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
