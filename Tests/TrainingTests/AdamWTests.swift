import Foundation
import Tensors
import Testing
import Transformer

@testable import Training

@Suite struct AdamWTests {
    struct Golden: Decodable {
        struct Step: Decodable {
            var gradient: [Float]
            var norm: Double
            var parameters: [Float]
            var first: [Float]
            var second: [Float]
        }
        var learningRate: Double
        var beta1: Double
        var beta2: Double
        var epsilon: Double
        var weightDecay: Double
        var clipNorm: Double
        var start: [Float]
        var steps: [Step]
    }

    @Test func stepsAreThoseOfTorch() throws {
        for golden in try Fixture.decode([Golden].self, "adamw") {
            let state = TrainingState(master: Small.weights(golden.start))
            let optimizer = AdamW(
                settings: AdamWSettings(
                    beta1: golden.beta1, beta2: golden.beta2, epsilon: golden.epsilon,
                    weightDecay: golden.weightDecay),
                clipping: GradientClipping(maximumNorm: golden.clipNorm))
            let pool = ComputePool(threads: 2)
            let kernels = try Kernels.preferred()
            let weights = try state.makeWeights(kernels: kernels, pool: pool)
            for step in golden.steps {
                let gradients = Small.weights(step.gradient)
                let norm = AdamW.norm(of: gradients.values, pool: pool)
                #expect(abs(norm - step.norm) < 1e-5 * step.norm)
                try optimizer.update(
                    state, gradients: gradients.values, norm: norm, learningRate: golden.learningRate,
                    weights: weights, kernels: kernels, pool: pool)
                close(state.master, step.parameters, 1e-5)
                close(state.firstMoments, step.first, 1e-5)
                close(state.secondMoments, step.second, 1e-5)
            }
            #expect(state.updates == golden.steps.count)
        }
    }

    @Test func theNormOfAGradientWithNaNOrInfinityIsNotFinite() {
        let pool = ComputePool(threads: 1)
        for wrong in [Float.nan, .infinity] {
            #expect(!AdamW.norm(of: Small.weights([1, wrong, 2]).values, pool: pool).isFinite)
        }
    }

    @Test func theNormDoesNotDependOnThreads() {
        let values = (0..<50_000).map { Float($0 % 977) * 1e-3 - 0.4 }
        let gradients = Small.weights(values)
        let one = AdamW.norm(of: gradients.values, pool: ComputePool(threads: 1))
        #expect(one == AdamW.norm(of: gradients.values, pool: ComputePool(threads: 3)))
    }

    private func close(_ found: MasterWeights, _ expected: [Float], _ tolerance: Float) {
        for index in expected.indices {
            let difference = abs(found.values.pointer[index] - expected[index])
            #expect(difference <= tolerance * max(abs(expected[index]), 1e-3))
        }
    }
}

/// Flat weights that start with given values, whatever tensors these fall into.
enum Small {
    static func weights(_ values: [Float]) -> MasterWeights {
        let weights = MasterWeights(
            ModelConfiguration(
                vocabularySize: max(8, values.count / 8 + 1), hiddenSize: 8, layers: 1, heads: 1, keyValueHeads: 1,
                headDimension: 8, intermediateSize: 8))
        for (index, value) in values.enumerated() { weights.values.pointer[index] = value }
        return weights
    }
}
