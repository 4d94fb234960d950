/// The split pattern of Llama 3 and Qwen2, by hand: contractions in either case, letters with one other sign before
/// them, a few digits, other signs with a space before and line breaks behind, white space up to its last line break.
struct CasedSplitter {
    let cursor: ScalarCursor
    /// How many digits go together: 3 in Llama 3, 1 in Qwen2.
    let maximumDigits: Int

    private static let letter = CharacterClass.letter.rawValue
    private static let number = CharacterClass.number.rawValue
    private static let space = CharacterClass.space.rawValue
    private static let other: UInt8 = 0

    /// Where the match ends that begins at `position`, which is before the end; there always is one.
    @inline(__always)
    func matchEnd(from position: Int) -> Int {
        let first = cursor.bytes[position]
        if first == UInt8(ascii: "'"), let end = contractionEnd(position) { return end }
        let current = cursor.read(position)
        if current.kind == Self.letter { return cursor.runEnd(of: Self.letter, from: position + current.length) }
        if current.kind == Self.number { return digitsEnd(position) }
        let after = position + current.length
        let next = cursor.read(after)
        if next.kind == Self.letter, !cursor.isLineBreak(first) {
            return cursor.runEnd(of: Self.letter, from: after + next.length)
        }
        if current.kind == Self.other { return signsEnd(after) }
        if first == UInt8(ascii: " "), next.kind == Self.other { return signsEnd(after + next.length) }
        let run = cursor.space(from: position)
        if let end = run.afterBreak { return end }
        return run.end == cursor.end || run.last == position ? run.end : run.last
    }

    @inline(__always)
    private func digitsEnd(_ position: Int) -> Int {
        var end = position
        for _ in 0..<maximumDigits {
            let next = cursor.read(end)
            guard next.kind == Self.number else { break }
            end += next.length
        }
        return end
    }

    @inline(__always)
    private func signsEnd(_ position: Int) -> Int {
        var end = cursor.runEnd(of: Self.other, from: position)
        while end < cursor.end, cursor.isLineBreak(cursor.bytes[end]) { end += 1 }
        return end
    }

    private func contractionEnd(_ position: Int) -> Int? {
        let (second, third) = (cursor.byte(position + 1), cursor.byte(position + 2))
        switch second | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return third | 0x20 == UInt8(ascii: "e") ? position + 3 : nil
        case UInt8(ascii: "l"): return third | 0x20 == UInt8(ascii: "l") ? position + 3 : nil
        default:
            // The long s (U+017F) is an s to a pattern that does not care for case.
            return second == 0xC5 && third == 0xBF ? position + 3 : nil
        }
    }
}
