import COpenSSL

/// An X25519 key pair (RFC 7748): what ZeroMQ's CURVE encrypts a connection with.
public struct CurveKey: Sendable {
    /// The length of either half in bytes.
    public static let byteCount = 32

    /// The 32 bytes that others may know.
    public let publicKey: [UInt8]
    /// The 32 bytes that nobody else may know.
    public let secretKey: [UInt8]

    /// Makes a new random pair.
    public init() {
        // As for a signing key: without randomness nothing can be encrypted.
        guard let secret = try? randomBytes(Self.byteCount), let key = CurveKey(secretKey: secret) else {
            preconditionFailure("The operating system gives no random bytes for a key.")
        }
        self = key
    }

    /// Makes the pair that belongs to a 32-byte secret; nil for another count.
    public init?(secretKey: [UInt8]) {
        guard let handle = PrivateKeyHandle(EVP_PKEY_X25519, secret: secretKey) else { return nil }
        self.secretKey = secretKey
        publicKey = handle.publicBytes
    }
}
