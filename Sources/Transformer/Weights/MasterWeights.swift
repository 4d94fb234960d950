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

    /// Reads F32 or BF16 tensors in Hugging Face names.
    ///
    /// - Throws: `ModelError` with the lists of missing, unexpected and mis-shaped tensors.
    public convenience init(_ configuration: ModelConfiguration, tensors: TensorCollection) throws {
        self.init(configuration)
        try TensorCheck.verify(tensors, against: layout, types: [.float32, .bfloat16])
        for slice in layout.slices {
            let file = try tensors.file(holding: slice.name)
            let destination = self[slice]
            if file.tensors[slice.name]?.type == .float32 {
                try file.copy(slice.name, as: .float32, shape: slice.shape, to: destination)
            } else {
                let bits = try file.load(slice.name, as: .bfloat16, shape: slice.shape, UInt16.self)
                withExtendedLifetime(bits) {
                    for index in 0..<slice.count {
                        destination[index] = Float(bitPattern: UInt32(bits.pointer[index]) << 16)
                    }
                }
            }
        }
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

    /// The tensors as BF16, rounded one at a time while they are written or hashed.
    ///
    /// The bits are those of ``ModelWeights`` made from this object, without the memory for them.
    public func roundedSources(_ kernels: Kernels) -> [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .bfloat16, shape: slice.shape) { body in
                let rounded = Storage<BFloat16Bits>(count: slice.count, zeroed: false)
                try withExtendedLifetime(rounded) {
                    kernels.roundToBFloat16(
                        self.values.pointer + slice.offset, into: rounded.pointer, count: slice.count)
                    try body(UnsafeRawBufferPointer(rounded.buffer))
                }
            }
        }
    }
}
