import Safetensors
import Tensors

/// The parameters of a model in binary32, as an optimizer keeps them.
///
/// All tensors lie in one allocation in the order of ``ParameterLayout``, so that clipping and an optimizer step are one
/// pass over flat memory. Gradients and moments use the same class. Padding between tensors stays zero.
///
/// > Important: The object is a mutable buffer. One thread at a time writes; the trainer owns it.
public final class MasterWeights: Sendable {
    /// Where each tensor lies.
    public let layout: ParameterLayout
    /// All elements, padding included; `layout.elementCount` of them.
    public let values: Storage<Float>

    /// All zeros.
    public init(layout: ParameterLayout) {
        self.layout = layout
        values = Storage<Float>(count: layout.elementCount)
    }

    /// All zeros, for a configuration.
    public convenience init(_ configuration: ModelConfiguration) {
        self.init(layout: ParameterLayout(configuration))
    }

    /// Widens the weights of a model.
    public convenience init(widening weights: ModelWeights) {
        self.init(layout: weights.layout)
        for slice in layout.slices {
            weights.eachBlock(of: slice) { first, bits in
                guard let start = bits.baseAddress else { return }
                TrainingKernels.widen(start, values.pointer + slice.offset + first, count: bits.count)
            }
        }
    }

    /// Reads F32, F16 or BF16 tensors in Hugging Face names, exactly.
    ///
    /// - Throws: `ModelError` with the lists of missing, unexpected and mis-shaped tensors, for tied embeddings beside another
    ///   output projection, or for a weight that is not finite.
    public convenience init(_ configuration: ModelConfiguration, tensors: TensorCollection) throws {
        self.init(configuration)
        let reader = try CheckpointReader(tensors, layout: layout)
        for slice in layout.slices { try reader.read(slice, into: values.pointer + slice.offset) }
    }

    /// The configuration of the model.
    public var configuration: ModelConfiguration { layout.configuration }

    /// The elements of one tensor; the pointer is good while this object lives.
    public subscript(slice: TensorSlice) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: values.buffer[slice.range])
    }

    /// The elements of the tensor of that name, or nil where the model has none; good while this object lives.
    public func tensor(named name: String) -> UnsafeMutableBufferPointer<Float>? {
        layout.slice(named: name).map { self[$0] }
    }

    /// The tensors as F32, for a checkpoint.
    public var sources: [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .float32, shape: slice.shape) { body in
                try body(UnsafeRawBufferPointer(self[slice]))
            }
        }
    }

    /// The tensors as BF16, rounded in pieces while they are written or hashed.
    ///
    /// The bits are those of ``ModelWeights`` made from this object, without the memory for them.
    public func roundedSources(_ kernels: Kernels) -> [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .bfloat16, shape: slice.shape) { body in
                let size = TensorSource.pieceByteCount / 2
                let rounded = Storage<BFloat16Bits>(count: min(size, slice.count), zeroed: false)
                try withExtendedLifetime(rounded) {
                    for first in stride(from: 0, to: slice.count, by: size) {
                        let count = min(size, slice.count - first)
                        kernels.roundToBFloat16(
                            self.values.pointer + slice.offset + first, into: rounded.pointer, count: count)
                        try body(UnsafeRawBufferPointer(start: rounded.pointer, count: 2 * count))
                    }
                }
            }
        }
    }
}
