import Identity

/// The difference that makes a version from the one before it, on this machine's disk, every byte checked.
///
/// It stays readable although its file may be removed meanwhile.
public struct WeightDifference: Sendable {
    /// What was signed for the version that it leads to.
    public let manifest: Manifest
    /// The version that it starts from.
    public let base: BaseVersion
    /// Bytes received for it: its manifest and its shards, failed attempts included.
    public let bytesTransferred: UInt64
    /// How long fetching it took.
    public let duration: Duration

    let signed: SignedManifest
    private let file: OpenFile

    /// Nil where a manifest offers no difference.
    init?(_ signed: SignedManifest, in file: OpenFile, bytesTransferred: UInt64, duration: Duration) {
        guard signed.manifest.delta != nil, let base = signed.manifest.base, let hash = signed.manifest.baseWeightsHash
        else { return nil }
        self.signed = signed
        self.file = file
        self.base = BaseVersion(version: base, weightsHash: hash)
        self.bytesTransferred = bytesTransferred
        self.duration = duration
        manifest = signed.manifest
    }

    /// The stream from its beginning.
    ///
    /// - Throws: ``ShardcastError`` of kind `corruptDelta` if it is for other versions than the manifest says.
    func stream() throws(ShardcastError) -> DeltaStream {
        let stream = try DeltaStream(file)
        guard stream.baseWeightsHash == base.weightsHash, stream.weightsHash == manifest.weightsHash else {
            throw stream.fault("it is not for the versions that the manifest names")
        }
        return stream
    }
}
