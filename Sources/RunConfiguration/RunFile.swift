/// A resolved run file: every setting of a run, checked.
public struct RunFile: ConfigurationSection {
    /// What the run is called and where it lives.
    public var run = RunSection()
    /// The weights that it starts from.
    public var model = ModelSection()
    /// What the policy is trained on.
    public var environment = EnvironmentSection()
    /// How completions are drawn.
    public var sampling = SamplingSection()
    /// Imitation before reinforcement.
    public var warmUp = WarmUpSection()
    /// Reinforcement.
    public var training = TrainingSection()
    /// Held-out prompts.
    public var evaluation = EvaluationSection()
    /// What is checked before work counts.
    public var audit = AuditSection()
    /// Who may join.
    public var admission = AdmissionSection()
    /// How long a worker may hold a group.
    public var lease = LeaseSection()
    /// How policy versions are published.
    public var weights = WeightsSection()
    /// Where the lab listens.
    public var network = NetworkSection()
    /// What `apus up` starts on this machine.
    public var swarm = SwarmSection()
    /// What is written down for people.
    public var telemetry = TelemetrySection()

    /// The defaults; not a run yet, because it names neither a model nor an environment.
    public init() {}

    /// The sections of the file.
    public static let fields: [ConfigurationField<RunFile>] = [
        .section("run", \.run, "What the run is called and where it lives."),
        .section("model", \.model, "The weights that the run starts from: a shape or a path."),
        .section("environment", \.environment, "What the policy is trained on."),
        .section("sampling", \.sampling, "How completions are drawn."),
        .section("warm_up", \.warmUp, "Imitation of demonstrations before reinforcement."),
        .section("training", \.training, "Reinforcement."),
        .section("evaluation", \.evaluation, "How well the policy does on problems that it never trains on."),
        .section("audit", \.audit, "What is checked before work counts."),
        .section("admission", \.admission, "Who may join."),
        .section("lease", \.lease, "How long a worker may hold a group."),
        .section("weights", \.weights, "How policy versions are published."),
        .section("network", \.network, "Where the lab listens."),
        .section("swarm", \.swarm, "What apus up starts on this machine."),
        .section("telemetry", \.telemetry, "What is written down for people."),
    ]
}
