import Tensors

/// Pages of a key-value cache with reference counts, allocated in slabs as they are first needed.
///
/// Memory grows up to the limit and is reused afterwards. Pages are not cleared: attention reads no slot that is not
/// written, except beside the last value, where the store puts a zero.
struct PageStore {
    let elementsPerPage: Int
    let maximumPages: Int

    private var slabs: [Storage<BFloat16Bits>] = []
    private var pointers: [UnsafeMutablePointer<BFloat16Bits>] = []
    private var references: [Int32] = []
    private var free: [Int32] = []

    static let pagesPerSlab = 16

    init(elementsPerPage: Int, maximumPages: Int) {
        self.elementsPerPage = elementsPerPage
        self.maximumPages = maximumPages
    }

    /// The number of pages that somebody holds.
    var used: Int { references.count - free.count }
    /// The number of pages that can still be taken.
    var available: Int { maximumPages - used }

    /// Takes a page with one reference and undefined contents; the caller has checked `available`.
    mutating func take() -> Int32 {
        precondition(available > 0, "no page left")
        guard let page = free.popLast() else { return takeFromNewSlab() }
        references[Int(page)] = 1
        return page
    }

    private mutating func takeFromNewSlab() -> Int32 {
        let first = addSlab(touching: false)
        free.removeLast()
        references[Int(first)] = 1
        return first
    }

    /// Adds free pages and returns the first, which is taken next; with `touching`, the system's memory is there already.
    @discardableResult
    private mutating func addSlab(touching: Bool) -> Int32 {
        let count = min(Self.pagesPerSlab, maximumPages - references.count)
        let slab = Storage<BFloat16Bits>(count: count * elementsPerPage, zeroed: touching)
        slabs.append(slab)
        let first = references.count
        for index in 0..<count {
            pointers.append(slab.pointer + index * elementsPerPage)
            references.append(0)
        }
        free.append(contentsOf: (first..<first + count).reversed().map { Int32($0) })
        return Int32(first)
    }

    /// Holds the memory of `pages` pages from now on, the limit at most.
    mutating func prepare(_ pages: Int) {
        while references.count < min(pages, maximumPages) { addSlab(touching: true) }
    }

    /// Adds a holder.
    mutating func retain(_ page: Int32) {
        references[Int(page)] += 1
    }

    /// Removes a holder; the last one gives the page back.
    mutating func release(_ page: Int32) {
        references[Int(page)] -= 1
        precondition(references[Int(page)] >= 0, "page \(page) was released too often")
        if references[Int(page)] == 0 { free.append(page) }
    }

    /// The page's elements.
    func pointer(_ page: Int32) -> UnsafeMutablePointer<BFloat16Bits> { pointers[Int(page)] }
}
