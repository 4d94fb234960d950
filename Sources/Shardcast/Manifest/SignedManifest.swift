import Identity

/// A manifest together with the exact bytes that were signed.
///
/// The bytes are the truth: the signature is checked over what was received, never over a re-encoding. They are one
/// line of hexadecimal Ed25519 signature, a line feed, and the JSON text.
public struct SignedManifest: Sendable, Equatable {
    /// The signature's domain; a signature made for anything else does not count here.
    public static let domain = "apus/manifest/v1"
    private static let signatureBytes = 64

    /// What the bytes say.
    public let manifest: Manifest
    /// Signature line and JSON text, as stored and sent.
    public let bytes: [UInt8]

    /// Signs a manifest.
    ///
    /// - Throws: ``ShardcastError`` if the manifest breaks a rule of the format.
    public init(signing manifest: Manifest, with key: SigningKey) throws(ShardcastError) {
        try manifest.validate()
        let json = try manifest.encoded()
        self.manifest = manifest
        self.bytes = Array(Hexadecimal.encode(key.sign(domain: Self.domain, json)).utf8) + [UInt8(ascii: "\n")] + json
        guard bytes.count <= ManifestLimits.manifestBytes else {
            throw ShardcastError(
                .malformedManifest,
                "The manifest of version \(manifest.version) has \(bytes.count) bytes, "
                    + "more than the \(ManifestLimits.manifestBytes) that clients accept.")
        }
    }

    /// Checks the signature over received bytes, and only then reads them.
    ///
    /// - Throws: ``ShardcastError`` of kind `malformedManifest`, `wrongKey` or `unsupportedSchema`.
    public init(verifying bytes: [UInt8], trust: PublicKey) throws(ShardcastError) {
        guard bytes.count <= ManifestLimits.manifestBytes else {
            throw ShardcastError(
                .malformedManifest,
                "The manifest has \(bytes.count) bytes; more than \(ManifestLimits.manifestBytes) is refused.")
        }
        let lineBytes = Self.signatureBytes * 2
        guard bytes.count > lineBytes + 1, bytes[lineBytes] == UInt8(ascii: "\n"),
            let signature = Hexadecimal.decode(String(decoding: bytes[..<lineBytes], as: UTF8.self))
        else {
            throw ShardcastError(
                .malformedManifest,
                "The manifest does not begin with a line of \(lineBytes) hexadecimal digits: this address serves something else."
            )
        }
        let json = Array(bytes[(lineBytes + 1)...])
        guard trust.isValidSignature(signature, domain: Self.domain, json) else {
            throw ShardcastError(
                .wrongKey,
                "The manifest is not signed by the trusted key \(trust.hex): "
                    + "check the key that you were given, and do not use this server if it is right.")
        }
        self.manifest = try Manifest.decoded(json)
        self.bytes = bytes
    }

    /// The SHA-256 of the signed text, which tells two manifests of one version apart.
    public var digest: Hash256 {
        bytes.withUnsafeBytes { SHA256.hash(UnsafeRawBufferPointer(rebasing: $0[(Self.signatureBytes * 2 + 1)...])) }
    }

    /// Checks that the manifest is for this run and still valid.
    ///
    /// - Parameter run: The run that was joined; nil accepts any.
    /// - Parameter milliseconds: This machine's time since 1970.
    public func check(run: Hash256?, now milliseconds: Int64) throws(ShardcastError) {
        if let run, manifest.run != run {
            throw ShardcastError(
                .anotherRun,
                "The manifest belongs to run \(manifest.run.hex), but this is run \(run.hex): "
                    + "the address is that of another run.")
        }
        if let expires = manifest.expiresMilliseconds, expires <= milliseconds {
            throw ShardcastError(
                .expired,
                "The manifest of version \(manifest.version) expired \((milliseconds - expires) / 1000) seconds ago "
                    + "by this machine's clock: the server is stale, or the clock is wrong.")
        }
        if manifest.createdMilliseconds - ManifestLimits.clockSkewMilliseconds > milliseconds {
            throw ShardcastError(
                .expired,
                "The manifest of version \(manifest.version) was signed more than a day in the future "
                    + "by this machine's clock: set the clock.")
        }
    }
}
