import Tensors
import Testing

@testable import Transformer

/// Backward passes over sequences that are longer than a block of attention, and over prompts that are shared.
@Suite struct LongGradientTests {
    private static let plain = TrainingPlan(lanes: 0, precision: .float32)
    private static let rounded = TrainingPlan(lanes: 0, precision: .bfloat16)

    /// A model of a fixture, and sequences of three prompts with several completions each.
    private struct Case {
        let fixture: GradientFixture
        let sequences: [TrainingSequence]

        /// - Parameter lengths: of prompts.
        init(_ name: String, prompts lengths: [Int], completions: [Int]) throws {
            fixture = try GradientFixture(name)
            let vocabulary = Int32(fixture.master.configuration.vocabularySize)
            func tokens(_ count: Int, _ seed: Int) -> [Int32] {
                (0..<count).map { Int32(($0 * 7919 + seed * 104_729 + $0 * $0 * 31) % 1_000_003) % vocabulary }
            }
            sequences = completions.indices.flatMap { sample in
                lengths.indices.map { group in
                    TrainingSequence(
                        prompt: tokens(lengths[group], group),
                        completion: tokens(completions[sample] + group, 50 + 10 * sample + group))
                }
            }
        }

        func run(_ plan: TrainingPlan, sharing: Bool = true, threads: Int = 2) throws -> (
            gradients: MasterWeights, pass: TrainingPass
        ) {
            let kernels = try Kernels.preferred()
            let pool = ComputePool(threads: threads)
            let weights = try ModelWeights(master: fixture.master, kernels: kernels, pool: pool)
            let graph = TrainingGraph(configuration: weights.configuration, kernels: kernels, pool: pool, plan: plan)
            let pass = graph.run(sequences, weights: weights, temperature: fixture.temperature, sharing: sharing) {
                target, _ in Float(target % 7 - 3) * 0.01
            }
            return (graph.gradients, pass)
        }
    }

    /// OpenBLAS in f32 is the reference of products in bf16: nothing but rounding may lie between them.
    @Test(arguments: GradientFixture.names)
    func longSequencesHaveTheGradientOfTheF32Mode(_ name: String) throws {
        let long = try Case(name, prompts: [1, 130], completions: [250, 61])
        let (expected, first) = try long.run(Self.plain)
        let (found, second) = try long.run(Self.rounded)
        #expect(first.logProbabilities.map(\.bitPattern) == second.logProbabilities.map(\.bitPattern))
        for (one, other) in zip(first.entropies, second.entropies) { #expect(abs(one - other) < 2e-5) }
        for slice in found.layout.slices {
            let error = GradientFixture.error(slice, found, expected)
            #expect(error < 2e-2, "\(slice.name): \(error)")
        }
    }

    @Test(arguments: ["llama", "qwen2-windowed", "qwen3-tempered"])
    func sharedPromptsChangeNoLogProbabilityAndHardlyAGradient(_ name: String) throws {
        let groups = try Case(name, prompts: [40, 107, 16], completions: [1, 30, 130, 7])
        let (alone, first) = try groups.run(Self.rounded, sharing: false)
        let (shared, second) = try groups.run(Self.rounded)
        #expect(first.logProbabilities.map(\.bitPattern) == second.logProbabilities.map(\.bitPattern))
        #expect(first.entropies.map(\.bitPattern) == second.entropies.map(\.bitPattern))
        let (exact, _) = try groups.run(Self.plain)
        for slice in shared.layout.slices {
            let error = GradientFixture.error(slice, shared, exact)
            let unshared = GradientFixture.error(slice, alone, exact)
            #expect(error < max(5e-3, 1.2 * unshared), "\(slice.name): \(error), unshared \(unshared)")
        }
    }

    @Test func sharedPromptsGiveTheSameGradientsOnEveryNumberOfThreads() throws {
        let groups = try Case("qwen3", prompts: [40, 20], completions: [1, 30, 55])
        var plan = Self.rounded
        plan.rows = 150
        let (one, first) = try groups.run(plan, threads: 1)
        let (three, second) = try groups.run(plan, threads: 3)
        #expect(first == second)
        #expect(one.values.buffer.elementsEqual(three.values.buffer) { $0.bitPattern == $1.bitPattern })
    }

    @Test func promptsAreComputedOncePerMicroBatchAndEverySequenceOnce() throws {
        let groups = try Case("qwen3", prompts: [40, 107, 16], completions: [1, 30, 130, 7])
        for limit in [64, 200, 2000] {
            let batches = MicroBatch.pack(groups.sequences, limit: limit, sharing: true)
            let samples = batches.flatMap { $0.parts.filter { $0.targetCount > 0 } }
            #expect(samples.map(\.sequence).sorted() == Array(groups.sequences.indices))
            for batch in batches {
                #expect(batch.rowCount <= limit || batch.parts.allSatisfy { $0.prompt == nil })
                #expect(batch.targetCount == batch.parts.reduce(0) { $0 + $1.targetCount })
                var row = 0
                for part in batch.parts {
                    #expect(part.rows.lowerBound == row)
                    row = part.rows.upperBound
                    if part.targetCount > 0 {
                        #expect(part.length == groups.sequences[part.sequence].inputCount)
                    }
                }
            }
        }
        let whole = MicroBatch.pack(groups.sequences, limit: 2000, sharing: true)
        let rows = groups.sequences.reduce(0) { $0 + $1.inputCount }
        #expect(whole.count == 1)
        #expect(whole[0].rowCount == rows - 3 * (40 + 107 + 16))
    }
}
