import Tensors

/// The pages of one sequence in order, as the attention kernels read them.
final class PageTable {
    private(set) var pages: [Int32] = []
    /// The number of positions that are written.
    var length = 0
    /// The last forward pass that the sequence took part in.
    var lastPass: UInt64 = 0
    private var capacity = 4
    private var pointers: UnsafeMutablePointer<UnsafeMutablePointer<BFloat16Bits>>

    init() {
        pointers = .allocate(capacity: capacity)
    }

    deinit {
        pointers.deallocate()
    }

    func append(_ page: Int32, _ pointer: UnsafeMutablePointer<BFloat16Bits>) {
        if pages.count == capacity {
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<BFloat16Bits>>.allocate(capacity: 2 * capacity)
            larger.update(from: pointers, count: capacity)
            pointers.deallocate()
            pointers = larger
            capacity *= 2
        }
        pointers[pages.count] = pointer
        pages.append(page)
    }

    /// The page that holds `position`.
    func page(of position: Int) -> UnsafeMutablePointer<BFloat16Bits> {
        pointers[position / KeyValuePageLayout.positions]
    }

    /// Page i holds the positions 16 i ..< 16 i + 16.
    var addresses: UnsafePointer<UnsafePointer<BFloat16Bits>> {
        // The same addresses, promised not to be written through; both types are one machine word.
        UnsafeRawPointer(pointers).assumingMemoryBound(to: UnsafePointer<BFloat16Bits>.self)
    }
}
