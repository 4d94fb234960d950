import Foundation
import RunConfiguration
import Tensors
import Training
import Transformer

/// What a training begins with, before any checkpoint is looked at.
struct TrainingStart {
    let seed: UInt64
    let kernels: Kernels
    let pool: ComputePool

    /// A state in which a new adapter of `base` learns; `base` is handed over.
    func state(_ adapter: AdapterConfiguration, of base: ModelWeights) throws -> AdapterState {
        let layout = try AdapterLayout(adapter, base: base.layout)
        return try AdapterState(
            adapter: AdapterInitializer.random(layout, seed: seed), base: base, kernels: kernels)
    }

    /// What a supervised training learns with: all weights, or an adapter of them.
    func supervised(_ model: StartingModel, _ adapter: AdapterConfiguration?) throws -> any TrainedState {
        guard let adapter else { return TrainingState(master: try model.masterWeights(seed: seed)) }
        return try state(adapter, of: try model.weights(seed: seed, kernels: kernels, pool: pool))
    }
}
