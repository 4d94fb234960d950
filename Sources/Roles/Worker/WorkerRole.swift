import Foundation
import Identity
import Logging
import Messages
import Tensors

/// A contributor's machine in a run: leases in, signed groups out, until told to stop.
public struct WorkerRole: Sendable {
    /// What a contributor lends and under which name.
    public struct Settings: Sendable {
        /// For people; at most 64 bytes.
        public var name: String
        /// Threads that compute.
        public var threads: Int
        /// Groups generated at once.
        public var groups: Int
        /// Samples decoded at once.
        public var sequences = 256
        /// Bytes for the key-value cache.
        public var cacheBytes: Int
        /// Where fetched versions are kept.
        public var cache: String
        /// A completions server that generates in place of this machine; nil for the engine of Apus.
        public var foreign: ForeignEngine?
        /// Lie on purpose, for demonstrations and tests of the audit.
        public var isDishonest = false

        /// Settings of a worker.
        public init(name: String, threads: Int, groups: Int, cacheBytes: Int, cache: String) {
            self.name = name
            self.threads = threads
            self.groups = groups
            self.cacheBytes = cacheBytes
            self.cache = cache
        }

        /// What the worker declares that it computes with; empty for the canonical arithmetic.
        var engine: String { foreign?.kind.rawValue ?? "" }
    }

    private let ticket: JoinTicket
    private let keys: NodeKeys
    private let settings: Settings
    private let kernels: Kernels
    private let log: Logger

    /// A worker for the run of a ticket.
    public init(ticket: JoinTicket, keys: NodeKeys, settings: Settings, kernels: Kernels, log: Logger) {
        self.ticket = ticket
        self.keys = keys
        self.settings = settings
        self.kernels = kernels
        self.log = log
    }

    /// Works until the run is finished, the orchestrator refuses this worker, or the task is cancelled (which drains:
    /// leases are given back).
    ///
    /// - Throws: A ``RoleFailure``.
    public func run() async throws {
        guard let run = Hash256(ticket.run) else {
            throw RoleFailure(.badInput, "The join address names no run.", advice: "Copy it again, whole.")
        }
        let session = try OrchestratorSession(
            SessionIdentity(
                ticket: ticket, keys: keys, role: .worker, name: settings.name, kernels: kernels,
                engine: settings.engine), log: log)
        let worker = RolloutWorker(
            run: run, ticket: ticket, keys: keys, settings: settings, session: session, desk: desk(run), log: log)
        try await worker.work()
    }

    /// What generates: the server that the settings name, or this machine.
    private func desk(_ run: Hash256) -> any GroupEngine {
        if let foreign = settings.foreign { return ForeignDesk(run: run, engine: foreign, log: log) }
        return GenerationDesk(
            kernels: kernels, threads: settings.threads,
            context: .init(runID: run, workerKey: keys.signing.publicKey),
            capacity: GenerationCapacity(sequences: settings.sequences, cacheBytes: settings.cacheBytes),
            tampering: settings.isDishonest ? WeightTampering() : nil, log: log)
    }
}
