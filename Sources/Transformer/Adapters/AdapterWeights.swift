import Safetensors
import Tensors

/// The factors of an adapter in binary32, as an optimizer keeps them.
///
/// All of them lie in one allocation in the order of ``AdapterLayout``. Gradients and moments use the same class. Padding
/// between tensors stays zero.
///
/// > Important: The object is a mutable buffer. One thread at a time writes; the trainer owns it.
public final class AdapterWeights: Sendable {
    /// Where each factor lies.
    public let layout: AdapterLayout
    /// All elements, padding included.
    public let values: Storage<Float>

    /// All zeros.
    public init(layout: AdapterLayout) {
        self.layout = layout
        values = Storage<Float>(count: layout.elementCount)
    }

    /// The elements of one factor; the pointer is good while this object lives.
    public subscript(slice: TensorSlice) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: values.buffer[slice.range])
    }

    /// The factors as F32 in PEFT's names, for a checkpoint.
    public var sources: [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .float32, shape: slice.shape) { body in
                try body(UnsafeRawBufferPointer(self[slice]))
            }
        }
    }

    /// The factors rounded to bf16: what is published and what is merged.
    ///
    /// - Throws: `ModelError` when a factor is NaN, infinite, or rounds to infinity.
    public func rounded(_ kernels: Kernels) throws(ModelError) -> AdapterFactors {
        let factors = AdapterFactors(layout: layout)
        kernels.roundToBFloat16(values.pointer, into: factors.values.pointer, count: layout.elementCount)
        try factors.checkFinite()
        return factors
    }
}
