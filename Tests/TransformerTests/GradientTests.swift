import Tensors
import Testing

@testable import Transformer

/// Gradients of every parameter of every family against PyTorch's (scripts/make-golden-gradients.py).
@Suite struct GradientTests {
    private static let alone = TrainingPlan(lanes: 1, precision: .float32)
    private static let shared = TrainingPlan(lanes: 0, precision: .float32)
    private static let rounded = TrainingPlan(lanes: 0, precision: .bfloat16)

    /// The f32 mode: the same forward pass, its rounding points included, and exact derivatives straight through them.
    @Test(arguments: GradientFixture.names, [alone, shared])
    func everyTensorHasTheGradientOfAutograd(_ name: String, plan: TrainingPlan) throws {
        let fixture = try GradientFixture(name)
        let (graph, pass) = try fixture.run(threads: 2, plan: plan)
        for index in fixture.slopes.indices {
            #expect(abs(pass.logProbabilities[index] - fixture.logProbabilities[index]) < 2e-5)
            #expect(abs(pass.entropies[index] - fixture.entropies[index]) < 2e-5)
        }
        for slice in fixture.rounded.layout.slices {
            let error = GradientFixture.error(slice, graph.gradients, fixture.rounded)
            #expect(error < 2e-5, "\(slice.name): \(error)")
        }
    }

    /// The bf16 mode, against transformers in f32: within 1e-2, or no worse than PyTorch in bf16 by more than a tenth.
    @Test(arguments: GradientFixture.names)
    func everyRoundedTensorIsAsNearToTheUnroundedOneAsTorchs(_ name: String) throws {
        let fixture = try GradientFixture(name)
        let (graph, _) = try fixture.run(threads: 2, plan: Self.rounded, more: true)
        for slice in fixture.plain.layout.slices {
            let error = GradientFixture.error(slice, graph.gradients, fixture.plain)
            let torch = try #require(fixture.torchErrors[slice.name])
            #expect(error <= max(1e-2, 1.1 * torch), "\(slice.name): \(error), torch \(torch)")
        }
    }

    @Test func aGradientThatIsNotOursIsNoticed() throws {
        // The negative control: the derivative of a loss that is one part in a thousand larger.
        let fixture = try GradientFixture("qwen2")
        let (graph, _) = try fixture.run(threads: 1, plan: Self.alone)
        let slice = fixture.rounded.layout.embedding
        for index in graph.gradients[slice].indices { graph.gradients[slice][index] *= 1.001 }
        #expect(GradientFixture.error(slice, graph.gradients, fixture.rounded) > 9e-4)
    }

    @Test(arguments: [TrainingPlan(lanes: 3, precision: .float32), shared, rounded])
    func gradientsDoNotDependOnThreads(_ plan: TrainingPlan) throws {
        let fixture = try GradientFixture("qwen3")
        let (one, first) = try fixture.run(threads: 1, plan: plan)
        let (three, second) = try fixture.run(threads: 3, plan: plan)
        #expect(first == second)
        #expect(bits(one.gradients) == bits(three.gradients))
    }

    /// Layers that are computed again have the same bits, so it makes no difference how many are.
    @Test(arguments: ["mistral", "qwen2-windowed", "qwen3"], [shared, rounded, alone])
    func gradientsDoNotDependOnWhatIsKept(_ name: String, plan: TrainingPlan) throws {
        let fixture = try GradientFixture(name)
        let (all, first) = try fixture.run(threads: 2, plan: plan)
        var forgetting = plan
        forgetting.activationBytes = 0
        let (none, second) = try fixture.run(threads: 2, plan: forgetting)
        #expect(first == second)
        #expect(bits(all.gradients) == bits(none.gradients))
    }

    @Test func microBatchesOfAnySizeGiveTheSameLogProbabilitiesAndNearlyTheSameGradients() throws {
        let fixture = try GradientFixture("llama")
        let (whole, first) = try fixture.run(threads: 2, plan: Self.shared)
        var small = Self.shared
        small.rows = 20
        let (parts, second) = try fixture.run(threads: 2, plan: small)
        #expect(first.logProbabilities == second.logProbabilities)
        for slice in whole.gradients.layout.slices {
            #expect(GradientFixture.error(slice, parts.gradients, whole.gradients) < 1e-5)
        }
    }

    @Test(arguments: [shared, rounded, alone])
    func aSecondPassOverwritesTheFirst(_ plan: TrainingPlan) throws {
        let fixture = try GradientFixture("llama-untied")
        let (graph, _) = try fixture.run(threads: 2, plan: plan)
        let before = bits(graph.gradients)
        let weights = try ModelWeights(
            master: fixture.master, kernels: Kernels.preferred(), pool: ComputePool(threads: 1))
        // What a pass that overflowed leaves behind must not reach the next one either.
        _ = graph.run(fixture.sequences.reversed(), weights: weights) { _, _ in .nan }
        _ = graph.run(fixture.sequences, weights: weights, temperature: fixture.temperature) { target, _ in
            fixture.slopes[target]
        }
        #expect(bits(graph.gradients) == before)
    }

    @Test func logProbabilitiesDoNotDependOnCompany() throws {
        let fixture = try GradientFixture("qwen2-windowed")
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let weights = try ModelWeights(master: fixture.master, kernels: kernels, pool: pool)
        let graph = TrainingGraph(configuration: fixture.master.configuration, kernels: kernels, pool: pool)
        let together = graph.score(fixture.sequences, weights: weights).logProbabilities
        let alone = fixture.sequences.flatMap { graph.score([$0], weights: weights).logProbabilities }
        #expect(together.map(\.bitPattern) == alone.map(\.bitPattern))
        let (_, pass) = try fixture.run(threads: 2, plan: Self.rounded)
        #expect(pass.logProbabilities.map(\.bitPattern) == together.map(\.bitPattern))
    }

    /// Finite differences: no formula of ours or of PyTorch's, only the loss itself.
    @Test(arguments: GradientFixture.names)
    func theLossFallsAlongEachTensorsGradientAtTheRateOfItsNorm(_ name: String) throws {
        // Rounding to bf16 makes the loss a staircase; a step of a few percent of the tensor averages over many stairs.
        let fixture = try GradientFixture(name)
        let (graph, _) = try fixture.run(threads: 1, plan: Self.alone)
        let start = bits(fixture.master)
        for slice in fixture.master.layout.slices {
            let gradient = Array(graph.gradients[slice])
            let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            let size = fixture.master[slice].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            func loss(_ step: Double) throws -> Double {
                let tensor = fixture.master[slice]
                for index in tensor.indices {
                    tensor[index] = Float(
                        Double(Float(bitPattern: start[slice.offset + index]))
                            + step * size * Double(gradient[index]) / norm)
                }
                let (_, pass) = try fixture.run(threads: 1, plan: Self.alone)
                for index in tensor.indices { tensor[index] = Float(bitPattern: start[slice.offset + index]) }
                return zip(pass.logProbabilities, fixture.slopes).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            // A vector has few weights, so it needs a longer step to cross many stairs.
            let step = slice.isVector ? 0.06 : 0.02
            let slope = try (loss(step) - loss(-step)) / (2 * step * size)
            let stair = 5e-4 / (2 * step * size)
            #expect(
                abs(slope - norm) < (slice.isVector ? 0.2 : 0.1) * norm + stair, "\(slice.name): \(slope) for \(norm)")
        }
    }

    private func bits(_ weights: MasterWeights) -> [UInt32] { weights.values.buffer.map(\.bitPattern) }
}
