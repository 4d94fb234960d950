/// Reads the classes of scalars in one section of text; the splitters stand on it.
struct ScalarCursor {
    let bytes: UnsafeBufferPointer<UInt8>
    /// Where the section ends.
    let end: Int
    let classes: UnsafeBufferPointer<UInt8>

    /// The class of the scalar at `position`, by what split patterns ask for, and its length; 255 and 0 at the end.
    @inline(__always)
    func read(_ position: Int) -> (kind: UInt8, length: Int) {
        guard position < end else { return (255, 0) }
        let byte = bytes[position]
        if byte < 0x80 { return (classes[Int(byte)] & CharacterClass.pattern.rawValue, 1) }
        let decoded = ScalarDecoding.scalar(bytes, at: position, upTo: end)
        return (classes[Int(decoded.value)] & CharacterClass.pattern.rawValue, decoded.length)
    }

    /// The byte at `position`, 0 at the end.
    @inline(__always)
    func byte(_ position: Int) -> UInt8 { position < end ? bytes[position] : 0 }

    /// Where the run of scalars of one kind ends that begins at `position`.
    @inline(__always)
    func runEnd(of kind: UInt8, from position: Int) -> Int {
        var position = position
        while true {
            let next = read(position)
            guard next.kind == kind, next.length > 0 else { return position }
            position += next.length
        }
    }

    /// The white space from `position`: where it ends, where its last scalar begins, and the end of its last line break.
    @inline(__always)
    func space(from position: Int) -> (end: Int, last: Int, afterBreak: Int?) {
        var (place, last) = (position, position)
        var afterBreak: Int?
        while true {
            let next = read(place)
            guard next.kind == CharacterClass.space.rawValue else { return (place, last, afterBreak) }
            last = place
            place += next.length
            if isLineBreak(bytes[last]) { afterBreak = place }
        }
    }

    /// Whether a byte is a carriage return or a newline.
    @inline(__always)
    func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}
