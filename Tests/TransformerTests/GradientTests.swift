import Tensors
import Testing

@testable import Transformer

@Suite struct GradientTests {
    @Test(arguments: GradientFixture.names)
    func everyTensorHasTheGradientOfAutograd(_ name: String) throws {
        let fixture = try GradientFixture(name)
        let (graph, pass) = try fixture.run(threads: 1)
        let expected = fixture.description.sequences.flatMap(\.logProbabilities)
        let entropies = fixture.description.sequences.flatMap(\.entropies)
        for index in expected.indices {
            #expect(abs(pass.logProbabilities[index] - expected[index]) < 1e-5)
            #expect(abs(pass.entropies[index] - entropies[index]) < 1e-5)
        }
        for slice in fixture.golden.layout.slices {
            let error = relativeError(graph.gradients[slice], fixture.golden[slice])
            #expect(error < 1e-5, "\(slice.name): \(error)")
        }
    }

    @Test func gradientsDoNotDependOnThreadsWhenLanesAreFixed() throws {
        let fixture = try GradientFixture("tied-norm")
        let (one, first) = try fixture.run(threads: 1, plan: TrainingPlan(lanes: 3, precision: .float32))
        let (three, second) = try fixture.run(threads: 3, plan: TrainingPlan(lanes: 3, precision: .float32))
        #expect(first == second)
        #expect(bits(one.gradients) == bits(three.gradients))
    }

    @Test func aSecondPassOverwritesTheFirst() throws {
        let fixture = try GradientFixture("untied-norm")
        let (graph, _) = try fixture.run(threads: 2)
        let before = bits(graph.gradients)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let weights = try ModelWeights(master: fixture.master, kernels: kernels, pool: pool)
        let slopes = fixture.slopes
        _ = graph.run(fixture.sequences, weights: weights, temperature: fixture.temperature) { target, _ in
            slopes[target]
        }
        #expect(bits(graph.gradients) == before)
    }

    @Test func logProbabilitiesDoNotDependOnCompany() throws {
        let fixture = try GradientFixture("tied-norm")
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let weights = try ModelWeights(master: fixture.master, kernels: kernels, pool: pool)
        let graph = TrainingGraph(configuration: fixture.master.configuration, kernels: kernels, pool: pool)
        let together = graph.score(fixture.sequences, weights: weights).logProbabilities
        let alone = fixture.sequences.flatMap { graph.score([$0], weights: weights).logProbabilities }
        #expect(together.map(\.bitPattern) == alone.map(\.bitPattern))
        let (_, pass) = try fixture.run(threads: 2)
        #expect(pass.logProbabilities.map(\.bitPattern) == together.map(\.bitPattern))
    }

    @Test(arguments: GradientFixture.names)
    func theLossFallsAlongEachTensorsGradientAtTheRateOfItsNorm(_ name: String) throws {
        // Rounding to bf16 makes the loss a staircase; a step of a few percent of the tensor averages over many stairs.
        let fixture = try GradientFixture(name)
        let (graph, _) = try fixture.run(threads: 1)
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
                let (_, pass) = try fixture.run(threads: 1)
                for index in tensor.indices { tensor[index] = Float(bitPattern: start[slice.offset + index]) }
                return zip(pass.logProbabilities, fixture.slopes).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            // A norm has few weights, so it needs a longer step to cross many stairs.
            let step = slice.isVector ? 0.06 : 0.02
            let slope = try (loss(step) - loss(-step)) / (2 * step * size)
            #expect(abs(slope / norm - 1) < 0.1, "\(slice.name): \(slope) for \(norm)")
        }
    }

    private func bits(_ weights: MasterWeights) -> [UInt32] { weights.values.buffer.map(\.bitPattern) }

    private func relativeError(_ found: UnsafeMutableBufferPointer<Float>, _ golden: UnsafeMutableBufferPointer<Float>)
        -> Double
    {
        var difference = 0.0
        var size = 0.0
        for index in golden.indices {
            difference +=
                (Double(found[index]) - Double(golden[index])) * (Double(found[index]) - Double(golden[index]))
            size += Double(golden[index]) * Double(golden[index])
        }
        return (difference / max(size, 1e-30)).squareRoot()
    }
}
