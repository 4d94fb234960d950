import EnvironmentKit
import Foundation
import Tensors
import Testing
import Transformer

@testable import Training

/// Times of the demo's steps: `APUS_TRAINING_SPEED=2 swift test -c release --filter TrainingSpeed` (threads).
@Suite struct TrainingSpeedTests {
    static let threads = Int(ProcessInfo.processInfo.environment["APUS_TRAINING_SPEED"] ?? "")

    @Test(.enabled(if: threads != nil)) func timesOfTheDemosSteps() throws {
        let threads = try #require(Self.threads)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: threads)
        let configuration = ModelShape.nano.configuration
        let master = ModelInitializer.random(configuration, seed: 1)
        let warmUp = try SupervisedWarmUp(
            state: TrainingState(master: master), settings: SupervisedSettings(), kernels: kernels, pool: pool)
        let source = LearningCurveTests.Demonstrations(seed: 1)
        let batches = (1...150).map { source.demonstrations(at: $0) }
        report("SFT step", of: 150) { for batch in batches { _ = try? warmUp.step(batch) } }

        let trainer = try PolicyTrainer(
            state: TrainingState(master: master), settings: PolicySettings(), kernels: kernels, pool: pool)
        let groups = (0..<64).map { group in
            let rows = batches[group % 150].prefix(8)
            return TrainingGroup(
                prompt: rows[0].prompt,
                rollouts: rows.enumerated().map { index, row in
                    TrainingRollout(
                        completion: row.completion, behaviorLogProbabilities: row.completion.map { _ in -1 },
                        reward: Double(index % 2))
                }, version: 0)
        }
        report("RL step (all groups)", of: 20) {
            for step in 1...20 { _ = try? trainer.step(TrainingBatch(step: step, groups: groups)) }
        }
    }

    private func report(_ name: String, of count: Int, _ body: () -> Void) {
        let user = Self.processorSeconds()
        let wall = ContinuousClock().measure(body)
        print(name, "wall", wall / count, "processor", (Self.processorSeconds() - user) / Double(count) * 1000, "ms")
    }

    private static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) * 1e-6
    }
}
