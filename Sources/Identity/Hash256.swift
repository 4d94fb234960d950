/// A 32-byte hash, kept in four words so that it never touches the heap.
///
/// Ordered as its bytes are, so sorting hashes and sorting their hexadecimal texts give the same order.
public struct Hash256: Hashable, Sendable {
    /// The length of every hash in bytes.
    public static let byteCount = 32

    /// The hash whose bytes are all zero.
    public static let zero = Hash256(words: (0, 0, 0, 0))

    /// The bytes in memory order, eight to a word.
    private var first, second, third, fourth: UInt64

    private init(words: (UInt64, UInt64, UInt64, UInt64)) {
        (first, second, third, fourth) = words
    }

    /// Takes exactly 32 bytes; nil for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init { target in target.copyBytes(from: bytes) }
    }

    /// Takes exactly 64 hexadecimal digits of either case; nil for anything else.
    public init?(hex: String) {
        guard hex.utf8.count == 2 * Self.byteCount, let bytes = Hexadecimal.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// Lets `fill` write the 32 bytes in place.
    @inline(__always)
    init(fill: (UnsafeMutableRawBufferPointer) -> Void) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        Swift.withUnsafeMutableBytes(of: &words) { fill($0) }
        self.init(words: words)
    }

    /// The 32 bytes.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// The 64 lower-case hexadecimal digits.
    public var hex: String { withUnsafeBytes { Hexadecimal.encode($0) } }

    /// Gives the 32 bytes without a copy on the heap; the pointer is valid only during the call.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try Swift.withUnsafeBytes(of: (first, second, third, fourth), body)
    }
}

extension Hash256: Comparable {
    /// Compares as byte strings.
    public static func < (left: Hash256, right: Hash256) -> Bool {
        if left.first != right.first { return left.first.bigEndian < right.first.bigEndian }
        if left.second != right.second { return left.second.bigEndian < right.second.bigEndian }
        if left.third != right.third { return left.third.bigEndian < right.third.bigEndian }
        return left.fourth.bigEndian < right.fourth.bigEndian
    }
}

extension Hash256: CustomStringConvertible {
    /// The hexadecimal text.
    public var description: String { hex }
}

extension Hash256: Codable {
    /// Reads a hexadecimal string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Hash256(hex: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "A hash must be 64 hexadecimal digits.")
        }
        self = value
    }

    /// Writes the hexadecimal string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
