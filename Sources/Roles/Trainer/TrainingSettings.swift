import RunConfiguration
import Training

extension PolicySettings {
    /// What a run file's `[training]` table says.
    init(_ file: RunFile) throws {
        let training = file.training
        let settings: [String: Double] =
            switch training.objective {
            case .clip:
                [
                    "low": training.clip.low, "high": training.clip.high, "ratio_cap": training.clip.ratioCap,
                ]
            case .mask: ["low": training.mask.low, "high": training.mask.high, "kl": training.mask.kl]
            }
        self.init(
            objective: try Objectives.named(training.objective.rawValue, settings: settings),
            schedule: LearningRateSchedule(peak: training.learningRate, warmUpSteps: training.warmupSteps),
            optimizer: AdamWSettings(
                beta1: training.betas[0], beta2: training.betas[1], weightDecay: training.weightDecay),
            clipping: GradientClipping(maximumNorm: training.clipNorm),
            temperature: Float(file.sampling.temperature))
    }
}

extension SupervisedSettings {
    /// What a run file's `[warm_up]` table says.
    init(_ section: WarmUpSection) {
        self.init(
            schedule: LearningRateSchedule(peak: section.learningRate, warmUpSteps: section.warmupSteps),
            optimizer: AdamWSettings(
                beta1: section.betas[0], beta2: section.betas[1], weightDecay: section.weightDecay),
            clipping: GradientClipping(maximumNorm: section.clipNorm))
    }
}
