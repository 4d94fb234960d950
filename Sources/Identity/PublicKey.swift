import COpenSSL

/// An Ed25519 public key (RFC 8032): who somebody is.
public struct PublicKey: Hashable, Sendable {
    /// The length of every public key in bytes.
    public static let byteCount = 32
    /// The length of every signature in bytes.
    public static let signatureByteCount = 64

    private let storage: Hash256

    /// Takes 32 bytes; nil for another count and for the keys of small order.
    ///
    /// Under a key of small order one signature fits every message, so it can prove nothing about its owner.
    public init?(rawBytes: some Collection<UInt8>) {
        guard let storage = Hash256(rawBytes), !Self.hasSmallOrder(storage.bytes) else { return nil }
        self.storage = storage
    }

    /// Takes 64 hexadecimal digits; nil for anything else.
    public init?(hex: String) {
        guard hex.utf8.count == 2 * Self.byteCount, let bytes = Hexadecimal.decode(hex) else { return nil }
        self.init(rawBytes: bytes)
    }

    /// Takes 64 hexadecimal digits or a whole `apus1:` line, whichever a person has at hand.
    public init?(text: String) {
        if let keys = NodePublicKeys(text) {
            self = keys.identity
        } else {
            self.init(hex: text)
        }
    }

    /// The 32 bytes.
    public var rawBytes: [UInt8] { storage.bytes }

    /// The 64 lower-case hexadecimal digits.
    public var hex: String { storage.hex }

    /// Says whether this key signed the message for this purpose: Ed25519 over `utf8(domain) ‖ 0 ‖ message`.
    public func isValidSignature(_ signature: [UInt8], domain: String, _ message: [UInt8]) -> Bool {
        isValidPlainSignature(signature, signedBytes(domain: domain, message))
    }

    /// Verifies without a domain, as RFC 8032 writes it.
    func isValidPlainSignature(_ signature: [UInt8], _ message: [UInt8]) -> Bool {
        guard signature.count == Self.signatureByteCount else { return false }
        let key = storage.withUnsafeBytes {
            EVP_PKEY_new_raw_public_key(
                EVP_PKEY_ED25519, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
        }
        guard let key else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        let verdict = EVP_DigestVerify(context, signature, signature.count, message, message.count)
        if verdict != 1 { ERR_clear_error() }
        return verdict == 1
    }

    /// The y coordinates of the eight points of small order, and the two that are written without reduction.
    private static let smallOrder: Set<[UInt8]> = Set(
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ].compactMap { Hexadecimal.decode($0) })

    private static func hasSmallOrder(_ bytes: [UInt8]) -> Bool {
        var coordinate = bytes
        coordinate[31] &= 0x7f  // the highest bit is the sign of x
        return smallOrder.contains(coordinate)
    }
}

/// What a signature is made over: the purpose, a zero byte, the message.
///
/// The zero byte keeps one purpose from being the beginning of another.
func signedBytes(domain: String, _ message: [UInt8]) -> [UInt8] {
    precondition(!domain.utf8.contains(0), "A signature's domain cannot hold a zero byte.")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(domain.utf8.count + 1 + message.count)
    bytes.append(contentsOf: domain.utf8)
    bytes.append(0)
    bytes.append(contentsOf: message)
    return bytes
}

extension PublicKey: CustomStringConvertible {
    /// The hexadecimal text.
    public var description: String { hex }
}

extension PublicKey: Comparable {
    /// Compares as byte strings.
    public static func < (left: PublicKey, right: PublicKey) -> Bool { left.storage < right.storage }
}

extension PublicKey: Codable {
    /// Reads a hexadecimal string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let key = PublicKey(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "An Ed25519 public key must be 64 hexadecimal digits.")
        }
        self = key
    }

    /// Writes the hexadecimal string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
