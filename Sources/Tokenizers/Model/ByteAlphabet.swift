/// The signs that byte-level vocabularies write bytes with.
///
/// GPT-2's vocabulary is a JSON file of text, so that every byte has a printable sign: ASCII and most of Latin-1 stand for
/// themselves, and the other 68 bytes for U+0100 and up in order.
enum ByteAlphabet {
    /// The scalar of each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                defer { next += 1 }
                return next
            }
        }
    }()

    private static let bytesOfScalars: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
        return table
    }()

    /// Appends the bytes that the signs of `token` stand for.
    ///
    /// - Returns: false, with nothing appended, if the token has a scalar that is no sign.
    static func appendBytes(of token: UnsafeBufferPointer<UInt8>, to result: inout [UInt8]) -> Bool {
        let count = result.count
        var position = 0
        while position < token.count {
            let decoded = ScalarDecoding.scalar(token, at: position, upTo: token.count)
            guard decoded.value < 0x144, bytesOfScalars[Int(decoded.value)] >= 0 else {
                result.removeSubrange(count...)
                return false
            }
            result.append(UInt8(truncatingIfNeeded: bytesOfScalars[Int(decoded.value)]))
            position += decoded.length
        }
        return true
    }

    /// The sign of a byte as UTF-8.
    static func sign(of byte: UInt8) -> [UInt8] {
        var sign: [UInt8] = []
        ScalarDecoding.append(scalars[Int(byte)], to: &sign)
        return sign
    }
}
