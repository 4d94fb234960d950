/// The split pattern of GPT-2, by hand: English contractions, then letters, numbers or other signs with one space before
/// them, then white space without the last scalar where something follows.
struct GPT2Splitter {
    let cursor: ScalarCursor

    private static let space = CharacterClass.space.rawValue

    /// Where the match ends that begins at `position`, which is before the end; there always is one.
    @inline(__always)
    func matchEnd(from position: Int) -> Int {
        let first = cursor.bytes[position]
        if first == UInt8(ascii: "'"), let end = contractionEnd(position) { return end }
        let start = first == UInt8(ascii: " ") ? position + 1 : position
        let next = cursor.read(start)
        if next.length > 0, next.kind != Self.space { return cursor.runEnd(of: next.kind, from: start + next.length) }
        let run = cursor.space(from: position)
        return run.end == cursor.end || run.last == position ? run.end : run.last
    }

    @inline(__always)
    private func contractionEnd(_ position: Int) -> Int? {
        switch cursor.byte(position + 1) {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return cursor.byte(position + 2) == UInt8(ascii: "e") ? position + 3 : nil
        case UInt8(ascii: "l"): return cursor.byte(position + 2) == UInt8(ascii: "l") ? position + 3 : nil
        default: return nil
        }
    }
}
