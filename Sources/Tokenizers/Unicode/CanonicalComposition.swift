/// Normalization form C, as the `tokenizers` package applies it.
///
/// Text is cut before every scalar that NFC keeps and that composes with nothing before it; only pieces of more than one
/// scalar, or with one that NFC changes, are decomposed, ordered and composed. Bytes that are not UTF-8 stay as they are
/// and keep what is before them from what is after.
enum CanonicalComposition {
    /// The normal form of `bytes`, or nil where it is the same.
    static func normalized(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        CharacterClasses.table.withUnsafeBufferPointer { classes in
            guard let first = firstUnstable(bytes, classes) else { return nil }
            return normalized(bytes, from: first, classes)
        }
    }

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    @inline(__always)
    private static func isStable(_ scalar: UInt32, _ classes: Bytes) -> Bool {
        classes[Int(scalar)] & CharacterClass.stable.rawValue != 0
    }

    private static func firstUnstable(_ bytes: Bytes, _ classes: Bytes) -> Int? {
        var position = 0
        while position < bytes.count {
            // No scalar below U+0300 is unstable, and none of them takes a first byte above 0xCB.
            if bytes[position] < 0xCC {
                position += 1
                continue
            }
            let decoded = ScalarDecoding.scalar(bytes, at: position, upTo: bytes.count)
            if decoded.isValid, !isStable(decoded.value, classes) { return position }
            position += decoded.length
        }
        return nil
    }

    private static func normalized(_ bytes: Bytes, from first: Int, _ classes: Bytes) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        // The scalar before the first unstable one opens the piece.
        let start = first == 0 ? 0 : ScalarDecoding.scalarStart(bytes, before: first, downTo: 0)
        result.append(contentsOf: bytes[..<start])
        var position = start
        var piece: [UInt32] = []
        while position < bytes.count {
            let decoded = ScalarDecoding.scalar(bytes, at: position, upTo: bytes.count)
            if !decoded.isValid || isStable(decoded.value, classes) { flush(&piece, into: &result, classes) }
            if decoded.isValid { piece.append(decoded.value) } else { result.append(bytes[position]) }
            position += decoded.length
        }
        flush(&piece, into: &result, classes)
        return result
    }

    private static func flush(_ piece: inout [UInt32], into result: inout [UInt8], _ classes: Bytes) {
        guard let first = piece.first else { return }
        if piece.count == 1, isStable(first, classes) {
            ScalarDecoding.append(first, to: &result)
        } else {
            for scalar in compose(ordered(decomposed(piece))) { ScalarDecoding.append(scalar, to: &result) }
        }
        piece.removeAll(keepingCapacity: true)
    }

    private static func decomposed(_ piece: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(piece.count * 2)
        for scalar in piece {
            if Hangul.isSyllable(scalar) {
                Hangul.decompose(scalar, into: &result)
                continue
            }
            var tail: [UInt32] = []
            var head = scalar
            while let pair = CompositionData.shared.decompositions[head] {
                if pair.second != 0 { tail.append(pair.second) }
                head = pair.first
            }
            result.append(head)
            result.append(contentsOf: tail.reversed())
        }
        return result
    }

    /// Sorts every run of marks by combining class; equal classes keep their order.
    private static func ordered(_ scalars: [UInt32]) -> [UInt32] {
        let data = CompositionData.shared
        var result = scalars
        var position = 0
        while position < result.count {
            guard data.combiningClass(result[position]) != 0 else {
                position += 1
                continue
            }
            let start = position
            while position < result.count, data.combiningClass(result[position]) != 0 { position += 1 }
            guard position - start > 1 else { continue }
            let run = result[start..<position].enumerated().sorted {
                let (left, right) = (data.combiningClass($0.element), data.combiningClass($1.element))
                return (left, $0.offset) < (right, $1.offset)
            }
            result.replaceSubrange(start..<position, with: run.map(\.element))
        }
        return result
    }

    private static func compose(_ scalars: [UInt32]) -> [UInt32] {
        let data = CompositionData.shared
        var result: [UInt32] = []
        result.reserveCapacity(scalars.count)
        var starter: Int?
        var lastClass: UInt8 = 0
        for scalar in scalars {
            let combiningClass = data.combiningClass(scalar)
            if let starter {
                let isAdjacent = starter == result.count - 1
                if isAdjacent || (lastClass < combiningClass && lastClass != 0),
                    let composite = Hangul.composite(result[starter], scalar) ?? data.composite(result[starter], scalar)
                {
                    result[starter] = composite
                    continue
                }
            }
            result.append(scalar)
            lastClass = combiningClass
            if combiningClass == 0 { starter = result.count - 1 }
        }
        return result
    }
}

/// Hangul syllables compose by arithmetic (Unicode Standard, section 3.12).
private enum Hangul {
    private static let (syllables, leading, vowels, trailing): (UInt32, UInt32, UInt32, UInt32) =
        (0xAC00, 0x1100, 0x1161, 0x11A7)
    private static let (vowelCount, trailingCount, syllableCount): (UInt32, UInt32, UInt32) = (21, 28, 11172)

    static func isSyllable(_ scalar: UInt32) -> Bool { scalar >= syllables && scalar - syllables < syllableCount }

    static func decompose(_ scalar: UInt32, into result: inout [UInt32]) {
        let index = scalar - syllables
        result.append(leading + index / (vowelCount * trailingCount))
        result.append(vowels + index % (vowelCount * trailingCount) / trailingCount)
        if index % trailingCount != 0 { result.append(trailing + index % trailingCount) }
    }

    static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if first >= leading, first - leading < 19, second >= vowels, second - vowels < vowelCount {
            return syllables + ((first - leading) * vowelCount + second - vowels) * trailingCount
        }
        if isSyllable(first), (first - syllables) % trailingCount == 0, second > trailing,
            second - trailing < trailingCount
        {
            return first + second - trailing
        }
        return nil
    }
}

/// The generated tables of decompositions and combining classes, read once.
private struct CompositionData: Sendable {
    static let shared = CompositionData()

    let decompositions: [UInt32: (first: UInt32, second: UInt32)]
    private let composites: [UInt64: UInt32]
    private let combiningClasses: [UInt32: UInt8]

    private init() {
        var decompositions: [UInt32: (first: UInt32, second: UInt32)] = [:]
        var composites: [UInt64: UInt32] = [:]
        var entry: [UInt32] = []
        var scalar: UInt32 = 0
        GeneratedNumbers.forEach(in: CompositionTable.pairs) { number, isExcluded in
            entry.append(UInt32(truncatingIfNeeded: number))
            guard entry.count == 3 else { return }
            scalar += entry[0]
            decompositions[scalar] = (entry[1], entry[2])
            if !isExcluded { composites[UInt64(entry[1]) << 32 | UInt64(entry[2])] = scalar }
            entry = []
        }
        var combiningClasses: [UInt32: UInt8] = [:]
        GeneratedNumbers.forEachRange(in: CompositionTable.combiningClasses, upTo: 0x110000) { range, value in
            for scalar in range { combiningClasses[UInt32(scalar)] = UInt8(truncatingIfNeeded: value) }
        }
        self.decompositions = decompositions
        self.composites = composites
        self.combiningClasses = combiningClasses
    }

    func combiningClass(_ scalar: UInt32) -> UInt8 {
        scalar < 0x300 ? 0 : combiningClasses[scalar] ?? 0
    }

    func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        composites[UInt64(first) << 32 | UInt64(second)]
    }
}
