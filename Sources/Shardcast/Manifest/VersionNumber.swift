/// The text form of version numbers: `v` and decimal digits without leading zeros.
enum VersionNumber {
    /// Largest number that is accepted; everything up to here also fits a signed 64-bit database column.
    static let maximum = UInt64(Int64.max)

    static func name(_ version: UInt64) -> String { "v\(version)" }

    /// Reads a name made by ``name(_:)`` and nothing else.
    static func parse(name: some StringProtocol) -> UInt64? {
        guard name.utf8.first == UInt8(ascii: "v") else { return nil }
        return parse(digits: name.dropFirst())
    }

    /// Reads decimal digits without sign, blank or leading zero, up to ``maximum``.
    static func parse(digits: some StringProtocol) -> UInt64? {
        let bytes = digits.utf8
        guard !bytes.isEmpty, bytes.count <= 19, bytes.count == 1 || bytes.first != UInt8(ascii: "0") else {
            return nil
        }
        var value: UInt64 = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        return value <= maximum ? value : nil
    }
}
