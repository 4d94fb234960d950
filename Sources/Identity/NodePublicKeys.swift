/// The public half of a node's keys, written as one line: `apus1:<ed25519 hex>:<curve hex>`.
public struct NodePublicKeys: Hashable, Sendable {
    /// Who the node is (Ed25519).
    public let identity: PublicKey
    /// What its connections are encrypted with (X25519, 32 bytes).
    public let curve: [UInt8]

    /// Joins the two keys; nil unless the curve key has 32 bytes.
    public init?(identity: PublicKey, curve: [UInt8]) {
        guard curve.count == CurveKey.byteCount else { return nil }
        self.identity = identity
        self.curve = curve
    }

    /// Reads an `apus1:` line; nil for anything else.
    public init?(_ text: String) {
        // 6 for the prefix, 64 digits, a colon, 64 digits: measured first, so that a huge text costs nothing.
        guard text.utf8.count == 135 else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "apus1", let identity = PublicKey(hex: String(parts[1])),
            let curve = Hexadecimal.decode(parts[2])
        else { return nil }
        self.init(identity: identity, curve: curve)
    }
}

extension NodePublicKeys: CustomStringConvertible {
    /// The `apus1:` line.
    public var description: String { "apus1:\(identity.hex):\(Hexadecimal.encode(curve))" }
}

extension NodePublicKeys: Codable {
    /// Reads an `apus1:` line.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let keys = NodePublicKeys(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "A node's public keys must be one line apus1:<64 hex>:<64 hex>.")
        }
        self = keys
    }

    /// Writes the `apus1:` line.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
