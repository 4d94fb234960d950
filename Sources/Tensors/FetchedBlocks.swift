import CKernels

/// Memory that a product brings into the caches while it computes, for what is computed next.
///
/// A product that uses its weights often leaves the way to memory idle, and attention waits for it. Fetching changes
/// nothing but time, and what there is no time for is not fetched.
public struct FetchedBlocks {
    /// Where the blocks begin.
    public let blocks: UnsafeBufferPointer<UnsafePointer<BFloat16Bits>>
    /// Elements from a block's beginning to what is fetched of it.
    public let offset: Int
    /// Elements that are fetched of each block.
    public let count: Int

    /// Describes what is fetched.
    public init(_ blocks: UnsafeBufferPointer<UnsafePointer<BFloat16Bits>>, offset: Int, count: Int) {
        self.blocks = blocks
        self.offset = offset
        self.count = count
    }

    /// The share of task number `task` of `tasks`.
    public func share(_ task: Int, of tasks: Int) -> FetchedBlocks {
        let range = blocks.count * task / tasks..<blocks.count * (task + 1) / tasks
        return FetchedBlocks(UnsafeBufferPointer(rebasing: blocks[range]), offset: offset, count: count)
    }

    /// nil where there is nothing to fetch.
    var forC: ck_fetch? {
        guard let first = blocks.baseAddress, !blocks.isEmpty else { return nil }
        let size = MemoryLayout<BFloat16Bits>.stride
        return ck_fetch(blocks: first, count: blocks.count, offset: offset * size, bytes: count * size)
    }
}
