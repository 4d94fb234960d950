extension Interpreter {
    @inline(never)
    func run(_ loop: Loop) throws(TemplateError) -> Flow {
        let sequence = try evaluate(loop.sequence)
        position = loop.position
        var items = try iterator(over: sequence)
        if let filter = loop.filter { items = filtered(items, by: filter, in: loop) }
        let scope = layout(loop.bodyScope)
        let isEmpty: Bool
        let flow: Flow
        if let slot = scope.loopSlot {
            let state = LoopState(items, count: loop.filter == nil ? knownCount(of: sequence) : nil)
            defer { state.finish() }
            (isEmpty, flow) = try iterate(loop, scope) { () throws(TemplateError) -> Value? in
                guard let item = try state.next(self) else { return nil }
                self.activation.slots[slot] = .loop(state)
                return item
            }
        } else {
            (isEmpty, flow) = try iterate(loop, scope) { () throws(TemplateError) -> Value? in try items.next(self) }
        }
        leave(scope)
        guard isEmpty, !loop.otherwise.isEmpty else { return flow }
        try enter(layout(loop.otherwiseScope))
        return try execute(loop.otherwise)
    }

    /// Runs the body for each item.
    ///
    /// `isEmpty` says that no iteration came to its end: then Jinja's `else` runs.
    private func iterate(
        _ loop: Loop, _ scope: ScopeLayout, _ next: () throws(TemplateError) -> Value?
    ) throws(TemplateError) -> (isEmpty: Bool, Flow) {
        var isEmpty = true
        while true {
            position = loop.position
            guard let item = try next() else { break }
            position = loop.position
            try assign(item, to: loop.target)
            try enter(scope)
            switch try execute(loop.body) {
            case .normal: isEmpty = false
            case .leave: return (isEmpty, .normal)
            case .next: break
            }
        }
        return (isEmpty, .normal)
    }

    /// The items for which the loop's `if` holds, each tested when it is asked for.
    private func filtered(_ items: ItemIterator, by filter: Expression, in loop: Loop) -> ItemIterator {
        let scope = layout(loop.filterScope)
        let activation = activation
        var isEntered = false
        return ItemIterator(depth: items.depth + 1) { (interpreter) throws(TemplateError) -> Value? in
            let current = interpreter.activation
            interpreter.activation = activation
            defer { interpreter.activation = current }
            if !isEntered { try interpreter.enter(scope) }
            isEntered = true
            while let item = try items.next(interpreter) {
                try interpreter.assign(item, to: loop.target, places: interpreter.program.layout.filterTargets)
                if try interpreter.isTrue(try interpreter.evaluate(filter)) { return item }
            }
            return nil
        }
    }

    /// The number of items where a value knows it, as `len` does.
    func knownCount(of value: Value) -> Int? {
        switch value {
        case .undefined: return 0
        case .string(let text): return text.count
        case .list(let items), .tuple(let items): return items.items.count
        case .dictionary(let mapping): return mapping.count
        case .view(let view): return view.mapping.count
        case .range(let range): return range.count
        default: return nil
        }
    }

    /// Goes over a value as Python's `for` does.
    func iterator(over value: Value) throws(TemplateError) -> ItemIterator {
        let depth = value.depth
        switch value {
        case .undefined: return ItemIterator(count: 0, depth: 0) { _ in .none }
        case .string(let text):
            return ItemIterator(count: text.count, depth: 0) { .string(Text([text.scalars[$0]])) }
        case .list(let items), .tuple(let items):
            return ItemIterator(count: items.items.count, depth: depth) { items.items[$0] }
        case .dictionary(let mapping): return ItemIterator(count: mapping.count, depth: depth) { mapping.keys[$0] }
        case .view(let view): return ItemIterator(count: view.mapping.count, depth: depth) { view.element($0) }
        case .range(let range): return ItemIterator(count: range.count, depth: 0) { .integer(range[$0]) }
        case .iterator(let iterator): return iterator
        case .none, .bool, .integer, .float, .namespace, .loop, .function:
            throw TemplateError(.value, "\(value.typeName) cannot be iterated over")
        }
    }

    /// All items of a value.
    func items(of value: Value) throws(TemplateError) -> [Value] {
        if case .list(let items) = value {
            try spend(elements: items.items.count)
            return items.items
        }
        let iterator = try iterator(over: value)
        var items: [Value] = []
        while let item = try iterator.next(self) {
            items.append(item)
            try check(elements: items.count)
        }
        return items
    }
}
