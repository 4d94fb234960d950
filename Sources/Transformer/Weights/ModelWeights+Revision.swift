import Identity
import Safetensors
import Tensors

/// A later version out of the weights in memory, without its files.
extension ModelWeights {
    /// Whether the weights lie in memory of this process alone, so that their last user may write there.
    public var isPrivate: Bool {
        if case .privateMemory = residence { true } else { false }
    }

    /// What the packed weights take of memory.
    public var byteCount: Int { panels.elementCount * MemoryLayout<BFloat16Bits>.stride }

    /// Makes a later version of these weights, and computes its hash on the way.
    ///
    /// A window of one block of ``WeightsRevision`` and two of rows is all that stands row-major at a time. Every element of the
    /// result is hashed as it will be computed with, those of unchanged tensors too, so ``weightsHash`` costs nothing
    /// afterwards and vouches for all of it: damage of these weights shows in the hash of the result.
    ///
    /// - Parameters:
    ///   - inPlace: whether these weights, which nobody may use any more, become the result instead of being copied.
    ///   - revision: says what changes.
    /// - Returns: Weights in private memory. The caller compares their hash before it uses them.
    /// - Throws: what `revision` throws, or `ModelError` for a weight that is not finite; nobody may use weights that were
    ///   to be changed in place then.
    public func revised(inPlace: Bool = false, by revision: inout some WeightsRevision) throws -> ModelWeights {
        precondition(!inPlace || isPrivate, "weights that are shared with other processes cannot be written")
        let target = inPlace ? self : successor()
        target.knownHash.withLock { $0 = nil }
        var hash = WeightsHasher()
        // Blocks of rows and blocks of the revision begin and end at different elements.
        let window = Storage<BFloat16Bits>(count: revision.blockElements + 2 * largestBlock, zeroed: false)
        try withExtendedLifetime(window) {
            for slice in layout.slices.sorted(by: { precedes($0.name, $1.name) }) {
                hash.begin(name: slice.name, type: .bfloat16, shape: slice.shape)
                try revise(slice, into: target, window.pointer, by: &revision, &hash)
            }
        }
        target.widenBiases()
        let result = hash.finalize()
        target.knownHash.withLock { $0 = result }
        return target
    }

    /// Weights of the same model in private memory, all padding zero and all elements undefined.
    private func successor() -> ModelWeights {
        let memory = Storage<BFloat16Bits>(count: panels.elementCount, zeroed: false)
        panels.clearPadding(of: memory)
        return ModelWeights(
            layout: layout, panels: panels, memory: memory, residence: .privateMemory(reason: nil), sibling: self)
    }

    private var largestBlock: Int {
        layout.slices.reduce(0) { max($0, Self.blocks(of: $1).first?.count ?? 0) }
    }

    /// One tensor: blocks of rows are read into the window, revised where a whole block of the revision stands there, and
    /// leave it for the target.
    private func revise(
        _ slice: TensorSlice, into target: ModelWeights, _ window: UnsafeMutablePointer<BFloat16Bits>,
        by revision: inout some WeightsRevision, _ hash: inout WeightsHasher
    ) throws {
        let isChanged = try revision.begin(slice)
        let parts = Self.blocks(of: slice)
        let step = isChanged ? revision.blockElements : parts.first?.count ?? 1
        var (read, written) = (0, 0)
        // The first element that stands in the window, and the one behind the last.
        var (start, end) = (0, 0)
        for first in stride(from: 0, to: slice.count, by: step) {
            let next = min(first + step, slice.count)
            while end < next {
                copy(parts[read], of: slice, into: window + (end - start))
                end = parts[read].upperBound
                read += 1
            }
            if isChanged {
                let block = UnsafeMutableBufferPointer(start: window + (first - start), count: next - first)
                try revision.revise(block)
                PackedMatrix.flushDenormals(window + (first - start), count: next - first)
            }
            while written < read, parts[written].upperBound <= next {
                let part = parts[written]
                let elements = window + (part.lowerBound - start)
                hash.update(UnsafeRawBufferPointer(start: elements, count: 2 * part.count))
                try target.store(elements, as: part, of: slice)
                written += 1
            }
            let kept = written < parts.count ? parts[written].lowerBound : slice.count
            if kept < end { window.update(from: window + (kept - start), count: end - kept) }
            start = min(kept, end)
        }
    }
}
