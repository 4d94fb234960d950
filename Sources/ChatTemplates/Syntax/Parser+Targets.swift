extension Parser {
    /// What stands left of `=` or `in`: a name, an attribute of a namespace, or a tuple of these.
    ///
    /// - Parameter end: a word that ends a tuple behind its last comma.
    mutating func target(until end: String?, allowsAttributes: Bool) throws(TemplateError) -> AssignmentTarget {
        try enter()
        var targets: [AssignmentTarget] = []
        var isTuple = false
        while true {
            if !targets.isEmpty {
                guard take(.comma) else { break }
                isTuple = true
            }
            if isTuple, isTargetEnd(end) { break }
            targets.append(try singleTarget(allowsAttributes: allowsAttributes))
        }
        leave()
        return isTuple ? .tuple(targets) : targets[0]
    }

    private func isTargetEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): return true
        case .name(let name): return name == end
        default: return false
        }
    }

    private mutating func singleTarget(allowsAttributes: Bool) throws(TemplateError) -> AssignmentTarget {
        let position = current.position
        if take(.leftParenthesis) {
            if take(.rightParenthesis) { return .tuple([]) }
            let inner = try target(until: nil, allowsAttributes: false)
            try expect(.rightParenthesis)
            return inner
        }
        let name = try assignableName()
        if allowsAttributes, take(.dot) {
            return .attribute(reference(name, .namespace, at: position), Text(try expectName()))
        }
        return .name(reference(name, .store, at: position))
    }

    /// A name that a value can be given to.
    mutating func assignableName() throws(TemplateError) -> String {
        let position = current.position
        let name = try expectName()
        switch name {
        case "true", "false", "none", "True", "False", "None":
            throw fault("\"\(name)\" cannot be assigned to", at: position)
        default: return name
        }
    }
}
