import Tensors

@testable import Transformer

extension ModelWeights {
    /// All elements of a tensor, row-major.
    func elements(of slice: TensorSlice) -> [BFloat16Bits] {
        [BFloat16Bits](unsafeUninitializedCapacity: slice.count) { buffer, count in
            if let start = buffer.baseAddress { copy(0..<slice.count, of: slice, into: start) }
            count = slice.count
        }
    }
}
