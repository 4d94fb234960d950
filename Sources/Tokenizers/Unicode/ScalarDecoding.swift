/// A scalar of UTF-8 text and the number of bytes it takes; nil values stand for a byte that is not UTF-8.
///
/// Text from outside need not be UTF-8. A byte that begins no well-formed scalar is taken alone, and split patterns see it
/// as they would see U+FFFD: no letter, no number, no white space.
enum ScalarDecoding {
    /// What a byte that is not UTF-8 reads as.
    static let replacement: UInt32 = 0xFFFD

    /// The scalar at `position` and its length.
    ///
    /// - Parameter position: must be inside `bytes`.
    @inline(__always)
    static func scalar(
        _ bytes: UnsafeBufferPointer<UInt8>, at position: Int, upTo end: Int
    ) -> (value: UInt32, length: Int, isValid: Bool) {
        let first = UInt32(bytes[position])
        if first < 0x80 { return (first, 1, true) }
        return multibyteScalar(bytes, first: first, at: position, upTo: end)
    }

    private static func multibyteScalar(
        _ bytes: UnsafeBufferPointer<UInt8>, first: UInt32, at position: Int, upTo end: Int
    ) -> (value: UInt32, length: Int, isValid: Bool) {
        @inline(__always) func continuation(_ offset: Int) -> UInt32? {
            guard position + offset < end, bytes[position + offset] & 0xC0 == 0x80 else { return nil }
            return UInt32(bytes[position + offset] & 0x3F)
        }
        switch first {
        case 0xC2...0xDF:
            if let second = continuation(1) { return ((first & 0x1F) << 6 | second, 2, true) }
        case 0xE0...0xEF:
            if let second = continuation(1), let third = continuation(2) {
                let value = (first & 0xF) << 12 | second << 6 | third
                if value >= 0x800, value & 0xF800 != 0xD800 { return (value, 3, true) }
            }
        case 0xF0...0xF4:
            if let second = continuation(1), let third = continuation(2), let fourth = continuation(3) {
                let value = (first & 0x7) << 18 | second << 12 | third << 6 | fourth
                if value >= 0x10000, value <= 0x10FFFF { return (value, 4, true) }
            }
        default: break
        }
        return (replacement, 1, false)
    }

    /// Where the scalar begins that ends just before `position`, which must be after `start`.
    static func scalarStart(
        _ bytes: UnsafeBufferPointer<UInt8>, before position: Int, downTo start: Int
    ) -> Int {
        var candidate = position - 1
        while candidate > start, position - candidate < 4, bytes[candidate] & 0xC0 == 0x80 { candidate -= 1 }
        let decoded = scalar(bytes, at: candidate, upTo: position)
        return candidate + decoded.length == position ? candidate : position - 1
    }

    /// The UTF-8 bytes of a scalar value.
    static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        switch value {
        case 0..<0x80: bytes.append(UInt8(value))
        case 0x80..<0x800:
            bytes.append(UInt8(0xC0 | value >> 6))
            bytes.append(UInt8(0x80 | value & 0x3F))
        case 0x800..<0x10000:
            bytes.append(UInt8(0xE0 | value >> 12))
            bytes.append(UInt8(0x80 | value >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | value & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | value >> 18))
            bytes.append(UInt8(0x80 | value >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | value >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | value & 0x3F))
        }
    }

    /// Whether bytes are UTF-8 as a whole.
    static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = 0
        while position < bytes.count {
            let decoded = scalar(bytes, at: position, upTo: bytes.count)
            guard decoded.isValid else { return false }
            position += decoded.length
        }
        return true
    }
}
