extension Environment {
    /// What this environment supplies to a run file, as TOML: the layer below the file itself.
    ///
    /// Text, so that the run configuration needs to know nothing of environments, and so that `apus env show` can
    /// print what an author may copy into a run file.
    public var runFileDefaults: String {
        let plan = reinforcement
        let warmUpSection: String
        if let warmUp {
            warmUpSection = """
                steps = \(warmUp.steps)
                batch = \(warmUp.batch)
                learning_rate = \(warmUp.learningRate)
                warmup_steps = \(warmUp.warmUpSteps)
                betas = [\(warmUp.betas.map { "\($0)" }.joined(separator: ", "))]
                weight_decay = \(warmUp.weightDecay)
                clip_norm = \(warmUp.clipNorm)
                """
        } else {
            warmUpSection = "steps = 0"
        }
        return """
            [sampling]
            temperature = \(plan.temperature)
            max_tokens = \(maximumCompletionTokens)
            group_size = \(plan.groupSize)

            [warm_up]
            \(warmUpSection)

            [training]
            steps = \(plan.steps)
            groups_per_batch = \(plan.groupsPerBatch)
            learning_rate = \(plan.learningRate)
            warmup_steps = \(plan.warmUpSteps)
            betas = [\(plan.betas.map { "\($0)" }.joined(separator: ", "))]
            weight_decay = \(plan.weightDecay)
            clip_norm = \(plan.clipNorm)
            clip = { low = \(plan.clipLow), high = \(plan.clipHigh), ratio_cap = \(plan.ratioCap) }

            """
    }
}
