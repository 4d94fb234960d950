import Identity
import Tensors

/// The matrices of a base model that an adapter changes, kept beside merged weights so that they can be merged anew.
public final class AdapterBase: Sendable {
    /// The adapter.
    public let layout: AdapterLayout
    /// The identity of the base model's weights.
    public let weightsHash: Hash256
    private let values: Storage<BFloat16Bits>
    /// Where each matrix lies in ``values``, by its place in the model.
    private let places: [Int: Int]

    /// Copies what is needed of a base model, before anything is merged into it.
    public init(_ weights: ModelWeights, adapting layout: AdapterLayout) {
        precondition(layout.model == weights.configuration, "an adapter of another model")
        self.layout = layout
        weightsHash = weights.weightsHash
        var places: [Int: Int] = [:]
        var next = 0
        for pair in layout.pairs {
            places[pair.weight.offset] = next
            next += pair.weight.count
        }
        self.places = places
        values = Storage(count: next, zeroed: false)
        for pair in layout.pairs {
            let target = values.pointer + (places[pair.weight.offset] ?? 0)
            weights.eachBlock(of: pair.weight) { first, block in
                guard let start = block.baseAddress else { return }
                (target + first).update(from: start, count: block.count)
            }
        }
    }

    /// Copies elements of an adapted matrix.
    func copy(_ elements: Range<Int>, of slice: TensorSlice, into target: UnsafeMutablePointer<BFloat16Bits>) {
        guard let place = places[slice.offset] else { preconditionFailure("\(slice.name) is not adapted") }
        target.update(from: values.pointer + place + elements.lowerBound, count: elements.count)
    }
}
