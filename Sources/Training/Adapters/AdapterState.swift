import Identity
import Tensors
import Transformer

/// A low-rank adapter in f32 with AdamW's moments, and the frozen model that it belongs to.
///
/// Forward passes use the merged bf16 weights, the bits that workers and verifiers compute with; only the factors learn.
public final class AdapterState: TrainedState {
    /// The factors in f32; what is published is their rounding to bf16.
    public let adapter: AdapterWeights
    /// AdamW's mean gradient, laid out as the factors.
    public let firstMoments: AdapterWeights
    /// AdamW's mean squared gradient, laid out as the factors.
    public let secondMoments: AdapterWeights
    /// The factors as they are merged now.
    public private(set) var factors: AdapterFactors
    /// The frozen matrices.
    public let base: AdapterBase
    /// The last finished step; 0 before the first.
    public var step = 0
    /// Optimizer updates applied.
    public var updates = 0
    /// The base model until it becomes the merged one.
    private var unmerged: ModelWeights?

    /// A state before the first step: given factors, zero moments.
    ///
    /// - Parameter base: the frozen model, in private memory. It is handed over: ``makeWeights(kernels:pool:)`` merges into it.
    /// - Throws: `ModelError` when a factor is not finite.
    public init(adapter: AdapterWeights, base: ModelWeights, kernels: Kernels) throws {
        self.adapter = adapter
        firstMoments = AdapterWeights(layout: adapter.layout)
        secondMoments = AdapterWeights(layout: adapter.layout)
        factors = try adapter.rounded(kernels)
        self.base = AdapterBase(base, adapting: adapter.layout)
        unmerged = base
    }

    /// The model that is trained.
    public var model: ModelConfiguration { base.layout.model }
    /// Where each factor lies.
    public var slices: [TensorSlice] { adapter.layout.slices }
    /// Factors and moments as flat arrays.
    public var arrays: OptimizerArrays {
        OptimizerArrays(
            parameters: adapter.values, firstMoments: firstMoments.values, secondMoments: secondMoments.values)
    }

    /// The base with the factors merged into it; may be called once, because the state holds one model only.
    public func makeWeights(kernels: Kernels, pool: ComputePool) throws -> ModelWeights {
        guard let weights = unmerged else { preconditionFailure("the base of this state has been merged already") }
        unmerged = nil
        try merge(into: weights, kernels: kernels, pool: pool)
        return weights
    }

    /// Steps the factors, rounds them and merges them again.
    public func apply(
        _ step: AdamWStep, gradients: Storage<Float>, to weights: ModelWeights, kernels: Kernels, pool: ComputePool
    ) throws {
        let (arrays, size) = (arrays, 1 << 14)
        pool.run((gradients.count + size - 1) / size) { block, _ in
            step.apply(to: arrays, gradients: gradients, block * size..<min((block + 1) * size, gradients.count))
        }
        try merge(into: weights, kernels: kernels, pool: pool)
    }

    private func merge(into weights: ModelWeights, kernels: Kernels, pool: ComputePool) throws {
        factors = try adapter.rounded(kernels)
        try weights.merge(factors, into: base, kernels: kernels, pool: pool)
    }

    /// A graph whose gradients are shaped as the factors.
    public func makeGraph(kernels: Kernels, pool: ComputePool, plan: TrainingPlan?) -> TrainingGraph {
        TrainingGraph(configuration: model, adapter: adapter.layout, kernels: kernels, pool: pool, plan: plan)
    }

    /// A forward pass over the merged weights and a backward pass to the factors.
    public func run(
        _ graph: TrainingGraph, _ sequences: [TrainingSequence], weights: ModelWeights, temperature: Float,
        slope: (_ target: Int, _ logProbability: Float) -> Float
    ) -> TrainingPass {
        graph.run(sequences, weights: weights, adapter: factors, temperature: temperature, slope: slope)
    }

    /// `adapter_model.safetensors`, so that PEFT opens a checkpoint.
    public var parametersFile: String { AdapterDirectory.weightsName }
    /// The frozen model's weights hash.
    public var baseHash: Hash256? { base.weightsHash }

    /// Writes `adapter_config.json`.
    public func writeCompanions(to folder: String) throws {
        try AdapterDirectory.writeConfiguration(adapter.layout.configuration, into: folder)
    }

    /// Compares `adapter_config.json`, the base's name excepted.
    public func checkCompanions(in folder: String) throws {
        let found = try AdapterDirectory.configuration(at: folder)
        guard found.named(base: nil) == adapter.layout.configuration.named(base: nil) else {
            throw CheckpointError(
                folder: folder,
                what:
                    "its adapter has rank \(found.rank), alpha \(found.alpha) and other settings than the run asks for")
        }
    }
}
