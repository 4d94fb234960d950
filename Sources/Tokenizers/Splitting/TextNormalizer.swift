/// What a `normalizer` of tokenizer.json does to text before it is split.
indirect enum TextNormalizer: Sendable, Equatable {
    /// Normalization form C.
    case canonicalComposition
    /// Puts a text in front of every section that is not empty.
    case prepend([UInt8])
    /// Replaces every occurrence of a text, from left to right.
    case replace([UInt8], by: [UInt8])
    /// One after the other.
    case sequence([TextNormalizer])

    /// The normalized text, or nil where it is the same.
    func normalized(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        switch self {
        case .canonicalComposition: return CanonicalComposition.normalized(bytes)
        case .prepend(let text): return bytes.isEmpty || text.isEmpty ? nil : text + bytes
        case .replace(let pattern, let content): return ByteSearch.replacing(pattern, by: content, in: bytes)
        case .sequence(let steps):
            var result: [UInt8]?
            for step in steps {
                if let current = result {
                    result = current.withUnsafeBufferPointer(step.normalized) ?? current
                } else {
                    result = step.normalized(bytes)
                }
            }
            return result
        }
    }

    /// How many times as long a long text may become, at most.
    var growth: Int {
        switch self {
        case .canonicalComposition, .prepend: return 1
        case .replace(let pattern, let content): return ByteSearch.growth(pattern, by: content)
        case .sequence(let steps):
            return steps.reduce(1) { $0 > 1 << 20 ? $0 : $0 * $1.growth }
        }
    }

    /// The normalized text.
    func normalized(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer(normalized) ?? bytes
    }
}

/// Plain search for a byte string.
enum ByteSearch {
    /// The first place at or after `position` where `pattern`, which is not empty, stands.
    static func first(
        _ pattern: [UInt8], in bytes: UnsafeBufferPointer<UInt8>, from position: Int, upTo end: Int
    ) -> Int? {
        let count = pattern.count
        return pattern.withUnsafeBufferPointer { pattern -> Int? in
            var place = position
            while place + count <= end {
                if bytes[place] == pattern[0] {
                    var matched = 1
                    while matched < count, bytes[place + matched] == pattern[matched] { matched += 1 }
                    if matched == count { return place }
                }
                place += 1
            }
            return nil
        }
    }

    /// How many times as long a text may become when `pattern` is replaced.
    static func growth(_ pattern: [UInt8], by content: [UInt8]) -> Int {
        max(1, (content.count + pattern.count - 1) / max(1, pattern.count))
    }

    /// `bytes` with every occurrence of `pattern` replaced, or nil where there is none.
    static func replacing(
        _ pattern: [UInt8], by content: [UInt8], in bytes: UnsafeBufferPointer<UInt8>
    ) -> [UInt8]? {
        guard !pattern.isEmpty, var place = first(pattern, in: bytes, from: 0, upTo: bytes.count) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 2)
        var position = 0
        while true {
            result.append(contentsOf: bytes[position..<place])
            result.append(contentsOf: content)
            position = place + pattern.count
            guard let next = first(pattern, in: bytes, from: position, upTo: bytes.count) else { break }
            place = next
        }
        result.append(contentsOf: bytes[position...])
        return result
    }
}
