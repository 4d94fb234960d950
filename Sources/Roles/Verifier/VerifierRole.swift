import Identity
import Logging
import Messages
import Tensors

/// An auditor's machine in a run: replays what it is given, blind, and says what came out.
public struct VerifierRole: Sendable {
    /// What an auditor lends and under which name.
    public struct Settings: Sendable {
        /// For people; at most 64 bytes.
        public var name: String
        /// Threads that compute.
        public var threads: Int
        /// Groups replayed at once.
        public var groups: Int
        /// Bytes for key-value caches of one version.
        public var cacheBytes: Int
        /// Where fetched versions are kept.
        public var cache: String

        /// Settings of a verifier.
        public init(name: String, threads: Int, groups: Int = 32, cacheBytes: Int = 1 << 30, cache: String) {
            self.name = name
            self.threads = threads
            self.groups = groups
            self.cacheBytes = cacheBytes
            self.cache = cache
        }
    }

    private let ticket: JoinTicket
    private let keys: NodeKeys
    private let settings: Settings
    private let kernels: Kernels
    private let log: Logger

    /// A verifier for the run of a ticket.
    public init(ticket: JoinTicket, keys: NodeKeys, settings: Settings, kernels: Kernels, log: Logger) {
        self.ticket = ticket
        self.keys = keys
        self.settings = settings
        self.kernels = kernels
        self.log = log
    }

    /// Audits until the run is finished, the orchestrator refuses this verifier, or the task is cancelled.
    ///
    /// - Throws: A ``RoleFailure``.
    public func run() async throws {
        guard let run = Hash256(ticket.run) else {
            throw RoleFailure(.badInput, "The join address names no run.", advice: "Copy it again, whole.")
        }
        let session = try OrchestratorSession(
            SessionIdentity(ticket: ticket, keys: keys, role: .verifier, name: settings.name, kernels: kernels),
            log: log)
        let auditor = Auditor(
            run: run, keys: keys, settings: settings, session: session,
            desk: ReplayDesk(kernels: kernels, threads: settings.threads, cacheBytes: settings.cacheBytes), log: log)
        try await auditor.work()
    }
}
