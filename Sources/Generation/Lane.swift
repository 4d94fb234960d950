import Identity
import Sampling
import Tensors
import Transformer

/// One version of the weights, and the groups that it generates.
///
/// From the oldest work to the youngest: `active`, then `pending` backwards, then `waiting`. Work starts from the front
/// of what does not run, and what must make room is the last of what does: so both ends meet, and nothing needs sorting.
final class Lane {
    let version: UInt64
    let weights: ModelWeights
    let decoder: Decoder
    let logits: LogitsPass
    /// The weights hash that noise is drawn for: the true one, unless a test plays a worker that lies about it.
    var noiseWeightsHash: Hash256

    /// Groups that have not begun, oldest first.
    var waiting: ArraySlice<GroupRequest> = []
    /// Groups that have begun, oldest first.
    var running: [GroupState] = []
    /// What holds sequences, oldest first.
    var active: [WorkItem] = []
    /// What has begun and holds no sequence, youngest first.
    var pending: [WorkItem] = []

    init(_ weights: ModelWeights, version: UInt64, kernels: Kernels, pool: ComputePool) {
        self.version = version
        self.weights = weights
        noiseWeightsHash = weights.weightsHash
        decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        logits = LogitsPass(output: weights.output, kernels: kernels, pool: pool)
    }

    var isIdle: Bool { waiting.isEmpty && running.isEmpty }
    var groups: Int { waiting.count + running.count }
}
