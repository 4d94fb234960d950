import Tensors

/// The memory that work with a model takes, in bytes.
public struct MemoryEstimate: Sendable, Equatable {
    /// A part and what it is for.
    public struct Part: Sendable, Equatable {
        /// A name for people: `cache`, `workspace`.
        public let name: String
        /// Its size.
        public let bytes: Int
    }

    /// Pages that all processes of the machine that do the same work share.
    public let sharedParts: [Part]
    /// The memory of each process.
    public let privateParts: [Part]

    /// What the processes share, together.
    public var sharedBytes: Int { sharedParts.reduce(0) { $0 + $1.bytes } }
    /// The memory of each process, together.
    public var privateBytes: Int { privateParts.reduce(0) { $0 + $1.bytes } }
    /// What one process alone takes.
    public var total: Int { sharedBytes + privateBytes }
}

/// What a decoder and its cache allocate, counted from sizes.
///
/// The numbers follow the allocations of ``Decoder``, ``Workspace`` and ``KeyValueCache``;
/// `scripts/check-memory.py` compares them with what processes take.
struct GenerationMemory {
    let configuration: ModelConfiguration
    let sequences: Int
    let positions: Int
    let threads: Int

    /// Code and libraries, and the tables, stacks and small objects of each process: measured, on Linux.
    static let (program, process) = (22 << 20, 14 << 20)

    /// Pages of keys and values, in whole slabs.
    var cache: Int {
        let pages = sequences * KeyValuePageLayout.pages(for: positions)
        let slab = PageStore.pagesPerSlab
        return (pages + slab - 1) / slab * slab * KeyValueCache.pageByteCount(configuration)
    }

    /// Activations of one chunk of rows, and what the threads compute with.
    var workspace: Int {
        let attention = AttentionShape(configuration).scratchCount(positions: 2 * positions) * 4
        let logits =
            4 * min(sequences, Decoder.chunkRows) * min(configuration.vocabularySize, Decoder.vocabularyChunk)
        let hidden = 2 * max(2 * sequences, Workspace.rows) * configuration.hiddenSize
        return Workspace.byteCount(configuration) + threads * (attention + logits) + hidden
    }

    /// Cosines and sines, which grow in steps to the longest sequence.
    var rotary: Int { 2 * positions * configuration.headDimension / 2 * 4 }
}
