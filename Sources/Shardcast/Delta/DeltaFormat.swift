import CDelta

/// The bytes of `model.delta`, which turns the weights of one version into those of the next (docs/fan-out.md).
enum DeltaFormat {
    /// The file's first bytes.
    static let magic = Array("APUSDLT\0".utf8)
    static let version: UInt32 = 1
    /// Magic, format, the two weights hashes and the number of files.
    static let headBytes = 8 + 4 + 32 + 32 + 4
    /// Elements of a block, and the bytes of one: what is in memory of a tensor at a time.
    static let blockElements = Int(CD_BLOCK_ELEMENTS)
    static let blockBytes = 2 * blockElements
    static let slack = Int(CD_SLACK)
    /// Most segments of a file: every tensor and the header before them.
    static let segments = ManifestLimits.tensors + 1
    /// The name under which the stream of a version travels and is kept while it is fetched.
    static func name(_ version: UInt64) -> String { "\(VersionNumber.name(version)).delta" }

    /// How a segment of a file is written.
    enum Coding: UInt8 {
        /// As in the base; nothing follows.
        case unchanged = 0
        /// Elements of 16 bits, block by block, then the hash.
        case blocks = 1
        /// The bytes themselves, then the hash.
        case replaced = 2
    }
}

/// A part of a file that is coded by itself: a tensor, or the header before the first.
struct DeltaSegment: Equatable {
    let range: Range<UInt64>
    /// Whether its elements are floating-point numbers of 16 bits.
    let isHalfWidth: Bool
}

/// What a difference consists of.
public struct DeltaStatistics: Sendable, Equatable, Codable {
    /// Elements of 16 bits in all tensors.
    public internal(set) var elements: UInt64 = 0
    /// How many of them have other bits than in the base.
    public internal(set) var changedElements: UInt64 = 0
    /// Bytes of the difference.
    public internal(set) var bytes: UInt64 = 0

    /// The part of the elements that changed.
    public var density: Double { elements > 0 ? Double(changedElements) / Double(elements) : 0 }
}
