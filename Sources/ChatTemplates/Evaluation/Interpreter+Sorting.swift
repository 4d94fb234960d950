extension Interpreter {
    /// Elements in ascending order of their keys; equal ones keep their order, also where the order is reversed.
    func sorted<Element>(
        _ elements: [Element], reversed: Bool = false, by key: (Element) throws(TemplateError) -> Value
    ) throws(TemplateError) -> [Element] {
        var keyed: [(key: Value, element: Element)] = []
        keyed.reserveCapacity(elements.count)
        for element in elements { keyed.append((try key(element), element)) }
        var width = 1
        while width < keyed.count {
            var merged: [(key: Value, element: Element)] = []
            merged.reserveCapacity(keyed.count)
            for start in stride(from: 0, to: keyed.count, by: 2 * width) {
                let middle = min(start + width, keyed.count)
                let end = min(start + 2 * width, keyed.count)
                var (left, right) = (start, middle)
                while left < middle && right < end {
                    let takesRight =
                        reversed
                        ? try isLess(keyed[left].key, keyed[right].key)
                        : try isLess(keyed[right].key, keyed[left].key)
                    merged.append(keyed[takesRight ? right : left])
                    if takesRight { right += 1 } else { left += 1 }
                }
                merged += keyed[left..<middle] + keyed[right..<end]
            }
            keyed = merged
            width *= 2
        }
        return keyed.map(\.element)
    }

    func isLess(_ left: Value, _ right: Value) throws(TemplateError) -> Bool { try compare(left, .less, right) }
}
