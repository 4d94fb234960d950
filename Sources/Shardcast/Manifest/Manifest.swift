import Identity

/// What one policy version consists of: its files, their shards and every hash that a client needs to check them.
///
/// A manifest is trusted only through its signature (``SignedManifest``); everything below it hangs on its hashes.
public struct Manifest: Sendable, Equatable {
    /// The newest schema that this program reads; a version is written in the oldest that can express it.
    public static let currentSchema: UInt32 = 3
    /// The oldest schema that this program reads.
    public static let oldestReadableSchema: UInt32 = 1

    /// The schema of this manifest.
    public let schema: UInt32
    /// The run that the weights belong to.
    public let run: Hash256
    /// Policy version: grows, never reused.
    public let version: UInt64
    /// Optimizer step that produced the version.
    public let step: UInt64
    /// Hash over the tensors that are computed with (not over the file), as leases name it; for an adapter over the merged
    /// tensors.
    public let weightsHash: Hash256
    /// When the manifest was signed, in milliseconds since 1970.
    public let createdMilliseconds: Int64
    /// When it stops being valid, in milliseconds since 1970; nil means never.
    public let expiresMilliseconds: Int64?
    /// The files that the version consists of; in a ``VersionKind/delta`` the weights are listed without shards.
    public let files: [File]
    /// Sum of the file lengths.
    public let totalBytes: UInt64
    /// The tensors, if the publisher listed them; may be empty.
    public let tensors: [Tensor]
    /// What the files are.
    public let kind: VersionKind
    /// The version that an adapter or a difference belongs to.
    public let base: UInt64?
    /// The weights hash of ``base``.
    public let baseWeightsHash: Hash256?
    /// The full version at the beginning of the chain of differences; nil for a full version.
    public let anchor: UInt64?
    /// The difference from ``base``, for those who have it; a full version may offer one beside its files.
    public let delta: Delta?

    /// Creates a manifest of the oldest schema that can express it; nothing is checked here (see ``validate()``).
    public init(
        run: Hash256, version: UInt64, step: UInt64, weightsHash: Hash256, createdMilliseconds: Int64,
        expiresMilliseconds: Int64? = nil, files: [File], tensors: [Tensor] = [], kind: VersionKind = .full,
        base: UInt64? = nil, baseWeightsHash: Hash256? = nil, anchor: UInt64? = nil, delta: Delta? = nil
    ) {
        self.init(
            schema: delta == nil ? kind.schema : VersionKind.delta.schema, run: run, version: version, step: step,
            weightsHash: weightsHash,
            createdMilliseconds: createdMilliseconds, expiresMilliseconds: expiresMilliseconds, files: files,
            totalBytes: files.reduce(0) { $0 &+ $1.bytes }, tensors: tensors, kind: kind, base: base,
            baseWeightsHash: baseWeightsHash, anchor: anchor, delta: delta)
    }

    init(
        schema: UInt32, run: Hash256, version: UInt64, step: UInt64, weightsHash: Hash256, createdMilliseconds: Int64,
        expiresMilliseconds: Int64?, files: [File], totalBytes: UInt64, tensors: [Tensor], kind: VersionKind,
        base: UInt64?, baseWeightsHash: Hash256?, anchor: UInt64?, delta: Delta?
    ) {
        self.schema = schema
        self.run = run
        self.version = version
        self.step = step
        self.weightsHash = weightsHash
        self.createdMilliseconds = createdMilliseconds
        self.expiresMilliseconds = expiresMilliseconds
        self.files = files
        self.totalBytes = totalBytes
        self.tensors = tensors
        self.kind = kind
        self.base = base
        self.baseWeightsHash = baseWeightsHash
        self.anchor = anchor
        self.delta = delta
    }

    /// Every shard, those of the difference first, which most wait for; a shard that occurs twice is listed twice.
    public var shards: [Shard] { (delta?.shards ?? []) + files.flatMap(\.shards) }

    /// The version without which this one is of no use to anybody.
    public var neededBase: UInt64? { kind == .full ? nil : base }
}
