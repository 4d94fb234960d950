import Safetensors
import Tensors

/// The factors of an adapter as they are published and computed with: bf16.
public final class AdapterFactors: Sendable {
    /// Where each factor lies.
    public let layout: AdapterLayout
    /// All elements, padding included; written only while the object is made.
    public let values: Storage<BFloat16Bits>

    /// All zeros: an adapter that changes nothing.
    init(layout: AdapterLayout) {
        self.layout = layout
        values = Storage(count: layout.elementCount)
    }

    /// What adapts which matrices.
    public var configuration: AdapterConfiguration { layout.configuration }

    /// The first element of a factor, row-major; the pointer is good while this object lives.
    public subscript(slice: TensorSlice) -> UnsafePointer<BFloat16Bits> {
        UnsafePointer(values.pointer + slice.offset)
    }

    /// The factors as BF16 in PEFT's names.
    public var sources: [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .bfloat16, shape: slice.shape) { body in
                try body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: self[slice], count: slice.count)))
            }
        }
    }

    func checkFinite() throws(ModelError) {
        for slice in layout.slices where !Kernels.isFinite(self[slice], count: slice.count) {
            throw ModelError(
                .notFinite, place: slice.name, "the tensor holds NaN or infinity; go back to an earlier adapter")
        }
    }
}
