/// Reads protobuf's wire format without decoding it; every step is checked against the end.
struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// Reads a variable-length integer in its shortest form.
    mutating func integer() throws(MessageError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { throw Self.malformed("an integer has more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else { throw Self.malformed("an integer is padded with zero bits") }
                return value
            }
            shift += 7
        }
        throw Self.malformed("it ends inside an integer")
    }

    /// Reads the next `count` bytes in place.
    mutating func take(_ count: UInt64) throws(MessageError) -> UnsafeRawBufferPointer {
        guard count <= UInt64(bytes.count - position) else {
            throw Self.malformed("a length of \(count) goes beyond the end")
        }
        defer { position += Int(count) }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
    }

    mutating func fixed32() throws(MessageError) -> UInt32 {
        UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self))
    }

    mutating func fixed64() throws(MessageError) -> UInt64 {
        UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self))
    }

    static func malformed(_ what: String) -> MessageError { MessageError(.malformed, at: "", what) }
}
