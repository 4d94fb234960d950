// The names are those of the fixture, which Python writes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import Foundation
import Tensors
import Testing
import Transformer

@testable import Training

/// Fifty steps beside PyTorch's, from the same weights over the same data (scripts/make-golden-curve.py).
@Suite struct GoldenCurveTests {
    private struct Golden: Decodable {
        struct Row: Decodable {
            var prompt: [Int32]
            var completion: [Int32]
        }
        struct Settings: Decodable {
            var learning_rate: Double
            var warm_up_steps: Int
            var beta1: Double
            var beta2: Double
            var epsilon: Double
            var weight_decay: Double
            var clip_norm: Double
        }
        var settings: Settings
        var losses: [Double]
        var steps: [[Row]]
    }

    @Test(arguments: [
        nil, TrainingPlan(lanes: 0, precision: .bfloat16), TrainingPlan(lanes: 0, precision: .float32),
        TrainingPlan(lanes: 0, precision: .bfloat16, rows: 40, activationBytes: 0),
    ])
    func everyLossIsWithinOnePercentOfPyTorchs(_ plan: TrainingPlan?) throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/curve").path
        let golden = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/curve.json")))
        let settings = golden.settings
        let warmUp = try SupervisedWarmUp(
            state: TrainingState(master: try ModelDirectory(opening: folder).masterWeights()),
            settings: SupervisedSettings(
                schedule: LearningRateSchedule(peak: settings.learning_rate, warmUpSteps: settings.warm_up_steps),
                optimizer: AdamWSettings(
                    beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
                    weightDecay: settings.weight_decay),
                clipping: GradientClipping(maximumNorm: settings.clip_norm)),
            kernels: Kernels.preferred(), pool: ComputePool(threads: 2), plan: plan)
        var worst = 0.0
        for (rows, expected) in zip(golden.steps, golden.losses) {
            let progress = try warmUp.step(
                rows.map { Demonstration(prompt: $0.prompt, completion: $0.completion) })
            worst = max(worst, abs(progress.loss / expected - 1))
        }
        #expect(golden.losses.count == 50 && golden.losses[49] < 0.6 * golden.losses[0])
        #expect(worst < 0.01, "the worst step is \(worst) off")
    }
}
