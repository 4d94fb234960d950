/// `[lease]`: how long a worker may hold a group.
public struct LeaseSection: ConfigurationSection {
    /// No lease is shorter.
    public var minimumSeconds = 30.0
    /// Times the time that the worker's measured speed predicts.
    public var factor = 3.0

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<LeaseSection>] = [
        .number("minimum_seconds", \.minimumSeconds, 1...86_400, "No lease is shorter; progress renews it."),
        .number("factor", \.factor, 1...100, "A lease lasts so many times what the measured speed predicts."),
    ]
}
