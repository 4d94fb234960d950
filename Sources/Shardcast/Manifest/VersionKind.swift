import Identity

/// What the files of a version are.
///
/// The text stands in manifests of schema 2 and later as `kind`. A manifest without it is a full version, which is also
/// how it is written, so that programs of schema 1 go on reading full versions.
public enum VersionKind: String, Sendable, CaseIterable {
    /// A whole model: nothing else is needed.
    case full
    /// A low-rank adapter (PEFT's files) to be merged into the full version that ``Manifest/base`` names.
    case adapter
    /// A difference to the weights of an earlier version.
    case delta

    /// The schema in which the kind appeared.
    var schema: UInt32 {
        switch self {
        case .full: 1
        case .adapter: 2
        case .delta: 3
        }
    }
}

/// The full version that an adapter belongs to, as its publisher names it.
public struct BaseVersion: Sendable, Hashable {
    /// The base's number, below that of every version on top of it.
    public let version: UInt64
    /// The hash over the base's own tensors.
    public let weightsHash: Hash256

    /// Names a base.
    public init(version: UInt64, weightsHash: Hash256) {
        self.version = version
        self.weightsHash = weightsHash
    }
}
