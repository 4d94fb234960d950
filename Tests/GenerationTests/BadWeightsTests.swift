import Tensors
import Testing
import Transformer

@testable import Generation

@Suite struct BadWeightsTests {
    /// Weights that overflow fail the step with a reason; nothing is hashed, nothing is kept.
    @Test func overflowIsAnErrorAndLeavesNothing() throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let master = ModelInitializer.random(TestModel.configuration, seed: 3)
        for index in master.layout.finalNorm.range { master.values[index] = 3e38 }
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let engine = GenerationEngine(
            weights: weights, kernels: kernels, pool: pool,
            context: GenerationContext(runID: TestModel.runID, workerKey: try TestModel.key()),
            limits: GenerationLimits(sequences: 8, pages: 512))
        for number in 0..<3 { try engine.add(TestModel.request(number)) }
        #expect(throws: GenerationError.self) { while !engine.isIdle { _ = try engine.step() } }
        #expect(engine.isIdle && engine.cache.usedPages == 0 && engine.cache.sequenceCount == 0)
        try engine.add(TestModel.request(0))
    }
}
