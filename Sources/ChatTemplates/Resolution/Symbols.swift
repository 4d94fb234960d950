/// The names that one scope mentions, with Jinja's rules for where they live (its `idtracking`).
///
/// A scope sees the variables of the scopes around it; assigning makes a variable of its own, which starts as a copy of
/// the outer one. What no scope assigns is a variable of the chat, looked up on entry.
struct Symbols {
    /// The scopes around this one; they are complete when an inner one is looked at.
    let parent: Box?
    let function: FunctionSlots
    /// What keeps the slots of this scope apart from those of others in the same function.
    let prefix: String
    private(set) var entries: [String: Entry] = [:]
    private var stores: Set<String> = []
    /// What the branches that are being looked at have added, innermost last.
    private var branches: [Branch] = []

    /// A name of this scope: its slot and how that is filled on entry.
    struct Entry {
        let slot: Slot
        var load: Load
    }

    /// What a branch of a condition adds to its scope.
    struct Branch {
        fileprivate var entries: [String: Entry] = [:]
        fileprivate var stores: Set<String> = []
    }

    /// A complete scope.
    final class Box {
        let symbols: Symbols
        init(_ symbols: Symbols) { self.symbols = symbols }
    }

    /// The slots of one activation.
    final class FunctionSlots {
        let depth: Int
        private var indices: [String: Int] = [:]

        init(depth: Int) { self.depth = depth }

        var count: Int { indices.count }

        func index(of name: String) -> Int {
            if let index = indices[name] { return index }
            indices[name] = indices.count
            return indices.count - 1
        }
    }

    struct Slot: Equatable {
        let function: FunctionSlots
        let index: Int

        static func == (left: Slot, right: Slot) -> Bool {
            left.function === right.function && left.index == right.index
        }
    }

    enum Load {
        case parameter
        case variable(String)
        case copy(Slot)
        case empty
    }

    init(parent: Symbols?, function: FunctionSlots, prefix: String) {
        self.parent = parent.map(Box.init)
        self.function = function
        self.prefix = prefix
    }

    func find(_ name: String) -> Slot? {
        var scope: Symbols? = self
        while let current = scope {
            if let entry = current.entries[name] { return entry.slot }
            scope = current.parent?.symbols
        }
        return nil
    }

    /// Where a slot of this or an outer scope is, seen from here.
    func place(of slot: Slot) -> Place {
        Place(hops: function.depth - slot.function.depth, slot: slot.index)
    }

    mutating func load(_ name: String) {
        if find(name) == nil { define(name, .variable(name)) }
    }

    mutating func store(_ name: String) {
        noteStore(name)
        guard entries[name] == nil else { return }
        define(name, parent?.symbols.find(name).map { .copy($0) } ?? .empty)
    }

    @discardableResult
    mutating func declareParameter(_ name: String) -> Slot {
        noteStore(name)
        return define(name, .parameter)
    }

    private mutating func noteStore(_ name: String) {
        if stores.insert(name).inserted, !branches.isEmpty { branches[branches.count - 1].stores.insert(name) }
    }

    @discardableResult
    private mutating func define(_ name: String, _ load: Load) -> Slot {
        let slot = Slot(function: function, index: function.index(of: "\(prefix):\(name)"))
        let entry = Entry(slot: slot, load: load)
        entries[name] = entry
        if !branches.isEmpty { branches[branches.count - 1].entries[name] = entry }
        return slot
    }

    /// Begins a branch of a condition.
    mutating func beginBranch() {
        branches.append(Branch())
    }

    /// Ends a branch and takes back what it added, so that the next one starts from the same scope.
    mutating func endBranch() -> Branch {
        guard let branch = branches.popLast() else { return Branch() }
        for name in branch.entries.keys { entries[name] = nil }
        stores.subtract(branch.stores)
        return branch
    }

    /// Adds what the branches of a condition added.
    ///
    /// What only some branches assign has its outer value, or the chat's, where they are not taken.
    mutating func merge(_ taken: [Branch]) {
        for name in taken.reduce(into: Set<String>(), { $0.formUnion($1.stores) }) {
            noteStore(name)
            guard entries[name] == nil else { continue }
            define(name, parent?.symbols.find(name).map { .copy($0) } ?? .variable(name))
        }
        for branch in taken {
            for (name, entry) in branch.entries where entries[name] == nil { define(name, entry.load) }
        }
    }
}
