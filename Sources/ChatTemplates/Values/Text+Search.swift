extension Text {
    /// The first place of a part at or behind `start`, in time linear in both lengths.
    func firstIndex(of part: Text, from start: Int = 0) -> Int? {
        guard start <= count else { return nil }
        guard let first = part.scalars.first else { return start }
        guard part.count > 1 else { return scalars[start...].firstIndex(of: first) }
        guard part.count <= count - start else { return nil }
        let pattern = part.scalars
        let failures = Text.failures(of: pattern)
        var matched = 0
        var index = start
        while index < count {
            while matched > 0, scalars[index] != pattern[matched] { matched = failures[matched - 1] }
            if scalars[index] == pattern[matched] { matched += 1 }
            index += 1
            if matched == pattern.count { return index - matched }
        }
        return nil
    }

    /// For each prefix of a pattern, the length of its longest proper prefix that is also its suffix.
    private static func failures(of pattern: [Unicode.Scalar]) -> [Int] {
        var failures = Array(repeating: 0, count: pattern.count)
        var length = 0
        for index in 1..<pattern.count {
            while length > 0, pattern[index] != pattern[length] { length = failures[length - 1] }
            if pattern[index] == pattern[length] { length += 1 }
            failures[index] = length
        }
        return failures
    }

    /// All places of a part that do not overlap, at most `limit` of them.
    func indices(of part: Text, limit: Int) -> [Int] {
        var found: [Int] = []
        var start = 0
        while found.count < limit, let index = firstIndex(of: part, from: start) {
            found.append(index)
            start = index + max(1, part.count)
        }
        return found
    }

    var reversed: Text { Text(scalars.reversed()) }

    func hasPrefix(_ prefix: Text) -> Bool { scalars.starts(with: prefix.scalars) }

    func hasSuffix(_ suffix: Text) -> Bool {
        count >= suffix.count && scalars[(count - suffix.count)...].elementsEqual(suffix.scalars)
    }

    subscript(range: Range<Int>) -> Text { Text(Array(scalars[range])) }

    /// Without the scalars of a set at its ends; white space if there is no set.
    func stripped(of set: Text?, start: Bool, end: Bool) -> Text {
        let members = set.map { Set($0.scalars) }
        func isStripped(_ scalar: Unicode.Scalar) -> Bool { members?.contains(scalar) ?? scalar.isPythonSpace }
        var low = 0
        var high = count
        if start { while low < high, isStripped(scalars[low]) { low += 1 } }
        if end { while high > low, isStripped(scalars[high - 1]) { high -= 1 } }
        return low == 0 && high == count ? self : self[low..<high]
    }

    /// The pieces between separators, at most `limit` cuts counted from the front.
    func split(by separator: Text, limit: Int) -> [Text] {
        pieces(around: indices(of: separator, limit: limit), width: separator.count)
    }

    /// The pieces between separators, at most `limit` cuts counted from the back.
    func splitFromEnd(by separator: Text, limit: Int) -> [Text] {
        let found = reversed.indices(of: separator.reversed, limit: limit)
        return pieces(around: found.reversed().map { count - $0 - separator.count }, width: separator.count)
    }

    private func pieces(around places: [Int], width: Int) -> [Text] {
        var pieces: [Text] = []
        var start = 0
        for place in places {
            pieces.append(self[start..<place])
            start = place + width
        }
        pieces.append(self[start..<count])
        return pieces
    }

    /// The words between runs of white space, at most `limit` cuts; what is left keeps its inner white space.
    func words(limit: Int, fromEnd: Bool = false) -> [Text] {
        guard !fromEnd else { return reversed.words(limit: limit).reversed().map(\.reversed) }
        var words: [Text] = []
        var index = 0
        while true {
            while index < count, scalars[index].isPythonSpace { index += 1 }
            guard index < count else { return words }
            if words.count == limit {
                words.append(self[index..<count])
                return words
            }
            let start = index
            while index < count, !scalars[index].isPythonSpace { index += 1 }
            words.append(self[start..<index])
        }
    }

    /// The lines, without or with their ends.
    func lines(keepingEnds: Bool) -> [Text] {
        var lines: [Text] = []
        var start = 0
        var index = 0
        while index < count {
            guard scalars[index].isPythonLineEnd else {
                index += 1
                continue
            }
            let end = index
            index += scalars[index] == "\r" && index + 1 < count && scalars[index + 1] == "\n" ? 2 : 1
            lines.append(self[start..<(keepingEnds ? index : end)])
            start = index
        }
        if start < count { lines.append(self[start..<count]) }
        return lines
    }
}
