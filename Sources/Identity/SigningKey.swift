import COpenSSL

/// An Ed25519 secret key (RFC 8032), made from a 32-byte seed.
public struct SigningKey: Sendable {
    /// The length of every seed in bytes.
    public static let seedByteCount = 32

    /// The 32 secret bytes; whoever has them is this identity.
    public let seed: [UInt8]
    /// The public half.
    public let publicKey: PublicKey

    private let handle: PrivateKeyHandle

    /// Makes a new random key.
    public init() {
        // Without randomness no node can hold an identity, and there is nobody to report it to this early.
        guard let seed = try? randomBytes(Self.seedByteCount), let key = SigningKey(seed: seed) else {
            preconditionFailure("The operating system gives no random bytes for a key.")
        }
        self = key
    }

    /// Makes the key that belongs to a 32-byte seed; nil for another count.
    public init?(seed: [UInt8]) {
        guard let handle = PrivateKeyHandle(EVP_PKEY_ED25519, secret: seed),
            let publicKey = PublicKey(rawBytes: handle.publicBytes)
        else { return nil }
        self.seed = seed
        self.handle = handle
        self.publicKey = publicKey
    }

    /// Signs a message for one purpose: Ed25519 over `utf8(domain) ‖ 0 ‖ message`, 64 bytes.
    public func sign(domain: String, _ message: [UInt8]) -> [UInt8] {
        signPlain(signedBytes(domain: domain, message))
    }

    /// Signs without a domain, as RFC 8032 writes it.
    func signPlain(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: PublicKey.signatureByteCount)
        var length = signature.count
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        // Only exhausted memory makes these fail: the key was checked when it was made.
        let started = EVP_DigestSignInit(context, nil, nil, nil, handle.pointer) == 1
        let signed = started && EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        precondition(signed && length == PublicKey.signatureByteCount, "OpenSSL cannot sign with Ed25519.")
        return signature
    }
}

/// Owns one OpenSSL private key of 32 bytes.
// `@unchecked`: the key is never changed after init, and OpenSSL 3 allows concurrent use of an unchanging key.
final class PrivateKeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let publicBytes: [UInt8]

    init?(_ kind: Int32, secret: [UInt8]) {
        guard secret.count == 32, let pointer = EVP_PKEY_new_raw_private_key(kind, nil, secret, secret.count) else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: 32)
        var length = bytes.count
        guard EVP_PKEY_get_raw_public_key(pointer, &bytes, &length) == 1, length == bytes.count else {
            EVP_PKEY_free(pointer)
            return nil
        }
        self.pointer = pointer
        publicBytes = bytes
    }

    deinit { EVP_PKEY_free(pointer) }
}
