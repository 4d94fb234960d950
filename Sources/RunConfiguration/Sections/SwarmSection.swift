/// `[swarm]`: what `apus up` starts on this machine beside the lab's processes.
public struct SwarmSection: ConfigurationSection {
    /// Rollout-workers, the dishonest ones included.
    public var workers = 3
    /// How many of them cheat.
    public var dishonest = 0
    /// Verifiers.
    public var verifiers = 1
    /// Threads of a worker.
    public var workerThreads = 1
    /// Threads of a verifier.
    public var verifierThreads = 1
    /// Threads of the trainer.
    public var trainerThreads = 2
    /// Groups that a worker generates at once.
    public var groupsInFlight = 8
    /// GiB that a worker may use for sequences in progress.
    public var workerMemory = 1.0
    /// GiB that a verifier may use for groups in replay.
    public var verifierMemory = 1.0

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<SwarmSection>] = [
        .integer("workers", \.workers, 0...1_024, "Rollout-workers, the dishonest ones included."),
        .integer("dishonest", \.dishonest, 0...1_024, "How many of the workers cheat, to see them caught."),
        .integer("verifiers", \.verifiers, 0...1_024, "Verifiers."),
        .integer("worker_threads", \.workerThreads, 1...1_024, "Threads of a worker."),
        .integer("verifier_threads", \.verifierThreads, 1...1_024, "Threads of a verifier."),
        .integer("trainer_threads", \.trainerThreads, 1...1_024, "Threads of the trainer."),
        .integer("groups_in_flight", \.groupsInFlight, 1...65_536, "Groups that a worker generates at once."),
        .number("worker_memory", \.workerMemory, 0.001...4_096, "GiB of a worker for sequences in progress."),
        .number("verifier_memory", \.verifierMemory, 0.001...4_096, "GiB of a verifier for groups in replay."),
    ]
}
