public import Identity

/// Which groups are audited is drawn by HMAC: nobody can foresee a draw, and anybody can re-check it later.
///
/// The secret of an epoch follows from the run's secret. Its SHA-256 is made public before the epoch, the secret itself
/// when the epoch is over.
public enum AuditDraw {
    /// Probabilities are counted in millionths, so that a journal holds them exactly.
    public static let certain: UInt32 = 1_000_000

    /// The secret of an epoch: HMAC-SHA256(run secret, "apus/audit-epoch/v1\0" ‖ u64le epoch).
    public static func secret(ofEpoch epoch: UInt64, runSecret: [UInt8]) -> Hash256 {
        hmacSHA256(key: runSecret, Array("apus/audit-epoch/v1\u{0}".utf8) + littleEndian(epoch))
    }

    /// What is made public of a secret beforehand: its SHA-256.
    public static func commitment(to secret: Hash256) -> Hash256 { SHA256.hash(secret.bytes) }

    /// Whether a group is audited: the first 8 bytes of HMAC-SHA256(epoch secret, group hash), read as a little-endian
    /// fraction of 2^64, lie below the probability.
    ///
    /// - Parameter probability: In millionths.
    public static func isDrawn(_ group: Hash256, probability: UInt32, secret: Hash256) -> Bool {
        isBelow(probability, fraction(secret, group.bytes))
    }

    /// Another draw under the same secret, told apart by its label.
    static func isDrawn(_ label: String, _ bytes: [UInt8], probability: UInt32, secret: Hash256) -> Bool {
        probability > 0 && isBelow(probability, fraction(secret, Array(label.utf8) + bytes))
    }

    /// The place of a waiting group in the order in which more audits are picked.
    static func order(_ group: Hash256, secret: Hash256) -> UInt64 {
        fraction(secret, Array("pick".utf8) + group.bytes)
    }

    /// A fraction, rounded up to millionths; certain where the denominator is not larger.
    static func millionths(_ numerator: Int64, of denominator: Int64) -> UInt32 {
        guard numerator > 0 else { return 0 }
        guard denominator > numerator else { return certain }
        let product = UInt64(numerator).multipliedFullWidth(by: UInt64(certain))
        let (quotient, remainder) = UInt64(denominator).dividingFullWidth(product)
        return UInt32(quotient) + (remainder > 0 ? 1 : 0)
    }

    private static func isBelow(_ probability: UInt32, _ fraction: UInt64) -> Bool {
        fraction.multipliedFullWidth(by: UInt64(certain)).high < UInt64(probability)
    }

    private static func fraction(_ secret: Hash256, _ message: [UInt8]) -> UInt64 {
        hmacSHA256(key: secret.bytes, message).withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
        }
    }

    private static func littleEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}
