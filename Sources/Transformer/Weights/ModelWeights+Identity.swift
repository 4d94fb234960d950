import Identity
import Safetensors
import Tensors

extension ModelWeights {
    /// The tensors as BF16, copied in blocks while they are written or hashed.
    public var sources: [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .bfloat16, shape: slice.shape) { body in
                try self.eachBlock(of: slice) { _, block in try body(UnsafeRawBufferPointer(block)) }
            }
        }
    }

    /// The identity of the weights (``weightsHash(of:)``), computed once on first use.
    ///
    /// It is over the bits that are computed with: F16 and F32 checkpoints rounded, denormals flushed to signed zeros.
    public var weightsHash: Hash256 {
        knownHash.withLock { known in
            if let known { return known }
            let result = computedHash()
            known = result
            return result
        }
    }

    /// Whether the memory still has the hash that it had, which takes as long as computing it.
    public var isIntact: Bool { computedHash() == weightsHash }

    private func computedHash() -> Hash256 {
        var hash = WeightsHasher()
        for slice in layout.slices.sorted(by: { precedes($0.name, $1.name) }) {
            hash.begin(name: slice.name, type: .bfloat16, shape: slice.shape)
            eachBlock(of: slice) { _, block in hash.update(UnsafeRawBufferPointer(block)) }
        }
        return hash.finalize()
    }

    /// Lends a tensor row-major, in blocks from the first element on.
    func eachBlock(
        of slice: TensorSlice, _ body: (_ first: Int, _ block: UnsafeBufferPointer<BFloat16Bits>) throws -> Void
    ) rethrows {
        let ranges = Self.blocks(of: slice)
        let block = Storage<BFloat16Bits>(count: ranges.first?.count ?? 0, zeroed: false)
        try withExtendedLifetime(block) {
            for elements in ranges {
                copy(elements, of: slice, into: block.pointer)
                try body(elements.lowerBound, UnsafeBufferPointer(start: block.pointer, count: elements.count))
            }
        }
    }
}
