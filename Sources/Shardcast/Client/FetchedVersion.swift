/// A version that lies on this machine's disk, every byte checked.
public struct FetchedVersion: Sendable {
    /// The version number.
    public let version: UInt64
    /// A Hugging Face directory.
    public let path: String
    /// What was signed.
    public let manifest: Manifest
    /// Bytes received for it: its manifest and its shards, failed attempts included; 0 if it was there already.
    public let bytesTransferred: UInt64
    /// Bytes taken from an interrupted fetch or an earlier version instead of the network.
    public let bytesReused: UInt64
    /// How long it took.
    public let duration: Duration
}

/// How far a fetch has come.
public struct FetchProgress: Sendable {
    /// The version being fetched.
    public let version: UInt64
    /// Checked bytes that are on the disk.
    public let bytesDone: UInt64
    /// Bytes of the whole version.
    public let bytesTotal: UInt64
    /// Bytes received per second since the fetch began.
    public let bytesPerSecond: Double
    /// Seconds left at that rate; nil before anything arrived.
    public var secondsLeft: Double? {
        bytesPerSecond > 0 ? Double(bytesTotal - min(bytesDone, bytesTotal)) / bytesPerSecond : nil
    }
}
