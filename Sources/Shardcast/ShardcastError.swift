/// What went wrong while weights were published, relayed or fetched.
///
/// `message` is a sentence for people: what, where, and what to do. `kind` is for programs.
public struct ShardcastError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The machine-readable reason.
    public enum Kind: String, Sendable, CaseIterable {
        /// The bytes are no manifest, or break a rule of the format.
        case malformedManifest
        /// The manifest's schema is one that this program does not read.
        case unsupportedSchema
        /// The signature does not belong to the trusted key.
        case wrongKey
        /// The manifest is signed by the trusted key, but for another run.
        case anotherRun
        /// The manifest's time is over.
        case expired
        /// An upstream offers an older version than one already seen, or another than the one asked for.
        case wentBackwards
        /// Two different manifests carry the same version number.
        case conflictingManifest
        /// The version number is taken, or lower than one already published.
        case versionTaken
        /// Nobody has the version (or its shards) that was asked for.
        case versionMissing
        /// A shard ended early.
        case truncatedShard
        /// A shard is longer than the manifest says.
        case oversizedShard
        /// A shard's bytes do not have the hash that the manifest names.
        case corruptShard
        /// A complete file does not have the hash that the manifest names.
        case corruptFile
        /// A difference between versions is irregular, or does not lead to the weights that were signed.
        case corruptDelta
        /// No connection to the upstream, or the connection broke.
        case unreachable
        /// The upstream answered, but not with what was asked for.
        case refused
        /// The upstream wants a token, and none or another one was shown.
        case unauthorized
        /// The deadline passed.
        case timedOut
        /// The disk is full.
        case noSpace
        /// Another input or output error of the file system.
        case storage
        /// Another process works in the directory.
        case directoryInUse
        /// Another program listens on the port.
        case portInUse
        /// A setting makes no sense.
        case invalidConfiguration
        /// The client or the relay was shut down.
        case shutDown
    }

    /// The machine-readable reason.
    public let kind: Kind
    /// One sentence for people: what, where, what to do.
    public let message: String

    /// Creates an error of a kind with its sentence.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}
