/// What must hold between settings, beyond each setting's own range.
private struct RunFileRule: Sendable {
    /// The key that a message points at.
    let path: [String]
    /// What is wrong, nil if nothing is.
    let check: @Sendable (RunFile) -> String?

    init(_ path: String, _ check: @escaping @Sendable (RunFile) -> String?) {
        self.path = path.split(separator: ".").map(String.init)
        self.check = check
    }
}

extension RunFile {
    /// The rules that this file breaks; the node tells where each key was written.
    func rulesBroken(in node: ConfigurationNode) -> [ConfigurationError.Problem] {
        Self.rules.compactMap { rule in
            rule.check(self).map { message in
                let origin = rule.path.reduce(Optional(node)) { $0?[$1] }?.origin
                return ConfigurationError.Problem(rule.path.joined(separator: "."), origin: origin, message)
            }
        }
    }

    private static let rules: [RunFileRule] = [
        RunFileRule("model.path") {
            $0.model.path != nil && $0.model.shape != nil
                ? "a run starts from model.shape or from model.path, not both; set one of them to \"none\"" : nil
        },
        RunFileRule("model") {
            $0.model.path == nil && $0.model.shape == nil
                ? "a run needs a model: set model.shape (\"nano\" is the demo's) or model.path" : nil
        },
        RunFileRule("environment.name") {
            $0.environment.name.isEmpty ? "a run needs an environment; `apus env list` shows them" : nil
        },
        RunFileRule("run.name") {
            isPlainName($0.run.name)
                ? nil : "a name has 1 to 64 letters, digits, dots, dashes and underscores, and no dot at the start"
        },
        RunFileRule("sampling.temperature") {
            $0.training.steps > 0 && $0.sampling.temperature == 0
                ? "reinforcement needs samples that differ; set a temperature above 0" : nil
        },
        RunFileRule("sampling.allow_filters") {
            $0.training.steps > 0 && $0.sampling.usesFilters && !$0.sampling.allowFilters
                ? """
                top_k, top_p and min_p bias reinforcement, because the loss compares unfiltered probabilities; \
                remove them or set allow_filters = true
                """ : nil
        },
        RunFileRule("sampling.group_size") {
            $0.training.steps > 0 && $0.sampling.groupSize < 2
                ? "an advantage compares the samples of one prompt; set at least 2" : nil
        },
        RunFileRule("training.pace") {
            $0.training.pace > $0.training.maxStaleness
                ? """
                work that is generated \($0.training.pace) versions ahead would be refused at max_staleness = \
                \($0.training.maxStaleness); lower pace or raise max_staleness
                """ : nil
        },
        RunFileRule("training.lora.target_modules") { $0.training.lora.complaint },
        RunFileRule("warm_up.lora.target_modules") { $0.warmUp.lora.complaint },
        RunFileRule("swarm.dishonest") {
            $0.swarm.dishonest > $0.swarm.workers
                ? "only \($0.swarm.workers) workers are started; raise swarm.workers" : nil
        },
        RunFileRule("admission.keys") {
            $0.admission.mode == .list && $0.admission.keys.isEmpty
                ? "with mode = \"list\" nobody could join; add keys" : nil
        },
        RunFileRule("network.orchestrator_port") {
            $0.network.orchestratorPort != 0 && $0.network.orchestratorPort == $0.network.relayPort
                ? "the orchestrator and the relay need different ports" : nil
        },
    ]
}

/// Whether a text can name a directory and a join address without surprises.
func isPlainName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.first != "."
        && text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
}
