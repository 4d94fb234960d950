import Identity
import Tensors
import Transformer

/// All weights of a model in f32, with AdamW's moments.
public final class TrainingState: TrainedState {
    /// The weights in f32; the model that samples is their rounding to bf16.
    public let master: MasterWeights
    /// AdamW's mean gradient, laid out as the weights.
    public let firstMoments: MasterWeights
    /// AdamW's mean squared gradient, laid out as the weights.
    public let secondMoments: MasterWeights
    /// The last finished step; 0 before the first.
    public var step = 0
    /// Optimizer updates applied.
    public var updates = 0

    /// A state before the first step: given weights, zero moments.
    public init(master: MasterWeights) {
        self.master = master
        firstMoments = MasterWeights(layout: master.layout)
        secondMoments = MasterWeights(layout: master.layout)
    }

    /// The model that is trained.
    public var model: ModelConfiguration { master.configuration }
    /// Where each weight lies.
    public var slices: [TensorSlice] { master.layout.slices }
    /// Weights and moments as flat arrays.
    public var arrays: OptimizerArrays {
        OptimizerArrays(
            parameters: master.values, firstMoments: firstMoments.values, secondMoments: secondMoments.values)
    }

    /// The weights, rounded.
    public func makeWeights(kernels: Kernels, pool: ComputePool) throws -> ModelWeights {
        try ModelWeights(master: master, kernels: kernels, pool: pool)
    }

    /// Steps, rounds and packs the weights in one pass.
    public func apply(
        _ step: AdamWStep, gradients: Storage<Float>, to weights: ModelWeights, kernels: Kernels, pool: ComputePool
    ) throws {
        let arrays = arrays
        try weights.update(from: master, kernels: kernels, pool: pool) { range in
            step.apply(to: arrays, gradients: gradients, range)
        }
    }

    /// A graph whose gradients are shaped as the weights.
    public func makeGraph(kernels: Kernels, pool: ComputePool, plan: TrainingPlan?) -> TrainingGraph {
        TrainingGraph(configuration: model, kernels: kernels, pool: pool, plan: plan)
    }

    /// A forward and backward pass over all weights.
    public func run(
        _ graph: TrainingGraph, _ sequences: [TrainingSequence], weights: ModelWeights, temperature: Float,
        slope: (_ target: Int, _ logProbability: Float) -> Float
    ) -> TrainingPass {
        graph.run(sequences, weights: weights, temperature: temperature, slope: slope)
    }

    /// `model.safetensors`.
    public var parametersFile: String { "model.safetensors" }
    /// Nothing is frozen.
    public var baseHash: Hash256? { nil }
    /// A checkpoint of all weights needs nothing else.
    public func writeCompanions(to folder: String) throws {}
    /// There is nothing to compare.
    public func checkCompanions(in folder: String) throws {}
}
