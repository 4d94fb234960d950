/// A version that lies on this machine's disk, every byte checked.
public struct FetchedVersion: Sendable {
    /// The version number.
    public let version: UInt64
    /// A Hugging Face directory, or an adapter's where ``basePath`` is set.
    public let path: String
    /// For an adapter: the Hugging Face directory of the full version that it is to be merged into.
    public internal(set) var basePath: String?
    /// What was signed.
    public let manifest: Manifest
    /// Bytes received for it and its base: manifests and shards, failed attempts included; 0 if all was there already.
    public internal(set) var bytesTransferred: UInt64
    /// Bytes taken from an interrupted fetch or an earlier version instead of the network.
    public internal(set) var bytesReused: UInt64
    /// The version on this machine's disk that it was made from with differences; nil where it came whole.
    public internal(set) var startedFrom: UInt64?
    /// How long it took.
    public internal(set) var duration: Duration
}

/// How far a fetch has come.
public struct FetchProgress: Sendable {
    /// The version being fetched.
    public let version: UInt64
    /// Checked bytes that are on the disk.
    public let bytesDone: UInt64
    /// Bytes that are needed in all: of the whole version, or of the differences that lead to it.
    public let bytesTotal: UInt64
    /// Bytes received per second since the fetch began.
    public let bytesPerSecond: Double
    /// Seconds left at that rate; nil before anything arrived.
    public var secondsLeft: Double? {
        bytesPerSecond > 0 ? Double(bytesTotal - min(bytesDone, bytesTotal)) / bytesPerSecond : nil
    }
}
