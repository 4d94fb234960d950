/// Who may join a run.
public enum AdmissionMode: String, Sendable, CaseIterable {
    /// Everybody; open keys start without stake.
    case open
    /// Holders of an invitation, and the keys of the list.
    case invite
    /// The keys of the list only.
    case list
}

/// `[admission]`: who may join.
public struct AdmissionSection: ConfigurationSection {
    /// Who may join.
    public var mode = AdmissionMode.open
    /// Workers' public keys, `apus1:…`.
    public var keys: [String] = []
    /// Verifiers' public keys; verifiers are always listed, because verdicts rest on them.
    public var verifiers: [String] = []
    /// Trainers' public keys; trainers are always listed.
    public var trainers: [String] = []
    /// Tokens that admit a key.
    public var invites: [String] = []
    /// Connections from one network address.
    public var connectionsPerAddress = 256

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<AdmissionSection>] = [
        .choice("mode", \.mode, "Who may join: everybody, holders of an invitation, or the keys of the list."),
        .texts("keys", \.keys, "Public keys (apus1:...) of workers that may join."),
        .texts("verifiers", \.verifiers, "Public keys of verifiers; only listed ones give verdicts."),
        .texts("trainers", \.trainers, "Public keys of trainers; only listed ones get batches."),
        .texts("invites", \.invites, "Tokens, each of which admits a key."),
        .integer(
            "connections_per_address", \.connectionsPerAddress, 1...1_000_000, "Connections from one network address."),
    ]
}
