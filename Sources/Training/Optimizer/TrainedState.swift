import Identity
import Tensors
import Transformer

/// What training changes: parameters with their moments, and two counters.
///
/// ``TrainingState`` trains all weights of a model, ``AdapterState`` an adapter of frozen ones. A checkpoint is a state and
/// nothing else, so that training on from a checkpoint equals never having stopped.
public protocol TrainedState: AnyObject {
    /// The model that is trained.
    var model: ModelConfiguration { get }
    /// Where each tensor lies in ``arrays``.
    var slices: [TensorSlice] { get }
    /// The flat arrays that an optimizer step goes over.
    var arrays: OptimizerArrays { get }
    /// The last finished step; 0 before the first.
    var step: Int { get set }
    /// Optimizer updates applied, which is less than `step` when steps were skipped.
    var updates: Int { get set }

    /// The bf16 model of this state, which the trainer then keeps up to date.
    ///
    /// - Throws: `ModelError` when a weight is not finite.
    func makeWeights(kernels: Kernels, pool: ComputePool) throws -> ModelWeights
    /// Applies an optimizer step and brings the bf16 model up to date.
    ///
    /// - Throws: `ModelError` when a weight is not finite.
    func apply(
        _ step: AdamWStep, gradients: Storage<Float>, to weights: ModelWeights, kernels: Kernels, pool: ComputePool
    ) throws
    /// A graph that computes this state's gradients.
    func makeGraph(kernels: Kernels, pool: ComputePool, plan: TrainingPlan?) -> TrainingGraph
    /// A forward and backward pass; the gradients are then in the graph, laid out as ``arrays``.
    func run(
        _ graph: TrainingGraph, _ sequences: [TrainingSequence], weights: ModelWeights, temperature: Float,
        slope: (_ target: Int, _ logProbability: Float) -> Float
    ) -> TrainingPass

    /// The file of a checkpoint that holds the parameters.
    var parametersFile: String { get }
    /// The hash of frozen weights that the parameters are meaningless without; nil where all weights are trained.
    var baseHash: Hash256? { get }
    /// Writes what a checkpoint needs beside parameters and moments.
    func writeCompanions(to folder: String) throws
    /// Compares what ``writeCompanions(to:)`` wrote with this state.
    ///
    /// - Throws: ``CheckpointError`` when the checkpoint is of something else.
    func checkCompanions(in folder: String) throws
}

/// The f32 arrays of a state, all laid out alike, padding included.
public struct OptimizerArrays: Sendable {
    /// What is trained.
    public let parameters: Storage<Float>
    /// AdamW's mean gradient.
    public let firstMoments: Storage<Float>
    /// AdamW's mean squared gradient.
    public let secondMoments: Storage<Float>
}
