import Tensors

/// Names a sequence in a ``KeyValueCache``.
public struct SequenceHandle: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// The keys and values of many sequences, in pages of 16 positions.
///
/// Full pages of a common prompt are shared by reference; the last, partial one is copied, so that no page that is still
/// written has two holders. Neither sharing nor paging changes a bit of any result.
///
/// Not safe for use from several threads at once: it belongs to the engine that steps.
public final class KeyValueCache {
    /// How keys and values lie in a page.
    public let layout: KeyValuePageLayout
    private var store: PageStore
    private var tables: [PageTable?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int32] = []
    private var passes: UInt64 = 0

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - configuration: the model.
    ///   - maximumPages: the largest number of pages ever held at once; see ``pageByteCount(_:)``.
    public init(_ configuration: ModelConfiguration, maximumPages: Int) {
        layout = KeyValuePageLayout(
            layers: configuration.layers, keyValueHeads: configuration.keyValueHeads,
            headDimension: configuration.headDimension)
        store = PageStore(elementsPerPage: layout.elementCount, maximumPages: maximumPages)
    }

    /// The memory of one page in bytes.
    public static func pageByteCount(_ configuration: ModelConfiguration) -> Int {
        KeyValuePageLayout.positions * 4 * configuration.layers * configuration.keyValueWidth
    }

    /// The number of pages in use.
    public var usedPages: Int { store.used }
    /// The number of pages that are still free.
    public var availablePages: Int { store.available }
    /// The number of sequences.
    public var sequenceCount: Int { tables.count - freeSlots.count }

    /// Takes the memory of `pages` pages now, so that no forward pass waits for the system to find it.
    public func prepare(pages: Int) { store.prepare(pages) }

    /// Adds an empty sequence; it takes no page before its first token.
    public func makeSequence() -> SequenceHandle {
        if let slot = freeSlots.popLast() {
            tables[Int(slot)] = PageTable()
            return SequenceHandle(slot: slot, generation: generations[Int(slot)])
        }
        tables.append(PageTable())
        generations.append(0)
        return SequenceHandle(slot: Int32(tables.count - 1), generation: 0)
    }

    /// Adds a sequence that continues from where `parent` is now; both go their own way afterwards.
    ///
    /// - Throws: `ModelError` with code `cacheFull` when there is no page for the partial last one.
    public func fork(_ parent: SequenceHandle) throws(ModelError) -> SequenceHandle {
        let source = table(parent)
        let partial = source.length % KeyValuePageLayout.positions != 0
        if partial { try require(1) }
        let child = makeSequence()
        let target = table(child)
        let fullPages = source.length / KeyValuePageLayout.positions
        for page in source.pages.prefix(fullPages) {
            store.retain(page)
            target.append(page, store.pointer(page))
        }
        if partial {
            let page = store.take()
            store.pointer(page).update(from: source.page(of: source.length), count: layout.elementCount)
            target.append(page, store.pointer(page))
        }
        target.length = source.length
        return child
    }

    /// Adds a sequence that begins with the first pages of another, which are full; it takes no page before its next token.
    public func fork(_ parent: SequenceHandle, sharing pages: Int) -> SequenceHandle {
        let source = table(parent)
        precondition(pages * KeyValuePageLayout.positions <= source.length, "only full pages can be shared")
        let child = makeSequence()
        let target = table(child)
        for page in source.pages.prefix(pages) {
            store.retain(page)
            target.append(page, store.pointer(page))
        }
        target.length = pages * KeyValuePageLayout.positions
        return child
    }

    /// Removes a sequence; its handle must not be used again.
    public func release(_ sequence: SequenceHandle) {
        for page in table(sequence).pages { store.release(page) }
        tables[Int(sequence.slot)] = nil
        generations[Int(sequence.slot)] &+= 1
        freeSlots.append(sequence.slot)
    }

    /// The number of positions that a sequence holds.
    public func length(of sequence: SequenceHandle) -> Int { table(sequence).length }

    /// The number of new pages that `count` more positions of a sequence take.
    public func pagesNeeded(_ sequence: SequenceHandle, appending count: Int) -> Int {
        let table = table(sequence)
        return max(0, KeyValuePageLayout.pages(for: table.length + count) - table.pages.count)
    }

    /// Numbers a forward pass.
    func beginPass() -> UInt64 {
        passes += 1
        return passes
    }

    /// Notes that a sequence takes part in a pass; false where it already does.
    func enter(_ sequence: SequenceHandle, pass: UInt64) -> Bool {
        let table = table(sequence)
        guard table.lastPass != pass else { return false }
        table.lastPass = pass
        return true
    }

    /// Fails unless `count` pages are free.
    func require(_ count: Int) throws(ModelError) {
        guard count <= store.available else {
            throw ModelError(
                .cacheFull, place: "key-value cache",
                "\(count) pages are needed and \(store.available) of \(store.maximumPages) are free; "
                    + "run fewer sequences at once or allow more memory")
        }
    }

    /// Gives a sequence the pages for `count` more positions; the caller has checked that they are free.
    func reserve(_ sequence: SequenceHandle, appending count: Int) -> PageTable {
        let table = table(sequence)
        while table.pages.count < KeyValuePageLayout.pages(for: table.length + count) {
            let page = store.take()
            table.append(page, store.pointer(page))
        }
        return table
    }

    private func table(_ sequence: SequenceHandle) -> PageTable {
        guard generations[Int(sequence.slot)] == sequence.generation, let table = tables[Int(sequence.slot)] else {
            preconditionFailure("a sequence was used after its release")
        }
        return table
    }
}
