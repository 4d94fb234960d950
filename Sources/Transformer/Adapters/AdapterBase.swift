import Identity
import Tensors

/// The matrices of a base model that adapters can change, kept beside merged weights so that they can be merged anew.
public final class AdapterBase: Sendable {
    /// Where each tensor of the base model lies.
    public let layout: ParameterLayout
    /// The identity of the base model's weights.
    public let weightsHash: Hash256
    /// The part of the layout's allocation that is kept: all layers.
    let range: Range<Int>
    let values: Storage<BFloat16Bits>

    /// Copies what is needed of a base model, before anything is merged into it.
    public init(_ weights: ModelWeights) {
        layout = weights.layout
        weightsHash = weights.weightsHash
        let matrices = layout.layers.flatMap { layer in AdapterTarget.allCases.map { $0.weight(in: layer).range } }
        let first = matrices.reduce(layout.elementCount) { min($0, $1.lowerBound) }
        range = first..<matrices.reduce(first) { max($0, $1.upperBound) }
        values = Storage(count: range.count, zeroed: false)
        values.pointer.update(from: weights.values.pointer + first, count: range.count)
    }
}
