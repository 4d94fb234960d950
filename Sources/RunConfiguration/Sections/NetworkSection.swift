/// `[network]`: where the lab listens.
public struct NetworkSection: ConfigurationSection {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The address that contributors are told.
    public var advertise: String?
    /// ZeroMQ.
    public var orchestratorPort = 0
    /// HTTP.
    public var relayPort = 0
    /// Relays beside the origin.
    public var relays: [String] = []

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<NetworkSection>] = [
        .text("host", \.host, "Address to listen on; 0.0.0.0 is every interface."),
        .optionalText("advertise", \.advertise, "Address that contributors are told; the host if absent."),
        .integer("orchestrator_port", \.orchestratorPort, 0...65_535, "Port for workers and verifiers; 0 is any."),
        .integer("relay_port", \.relayPort, 0...65_535, "Port of the origin relay; 0 is any."),
        .texts("relays", \.relays, "Addresses of further relays, http://HOST:PORT."),
    ]
}
