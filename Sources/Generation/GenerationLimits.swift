import Tensors
import Transformer

/// What bounds an engine's memory.
public struct GenerationLimits: Sendable, Hashable {
    /// Most samples that are decoded at the same time.
    public var sequences: Int
    /// Most pages of 16 positions in the key-value cache.
    public var pages: Int
    /// Most groups that wait to be started; `add` refuses more.
    public var waitingGroups: Int

    /// Names the bounds.
    public init(sequences: Int, pages: Int, waitingGroups: Int = 4096) {
        precondition(sequences > 0 && pages > 0 && waitingGroups > 0, "limits must be positive")
        self.sequences = sequences
        self.pages = pages
        self.waitingGroups = waitingGroups
    }

    /// Bounds the cache by memory.
    public init(sequences: Int, cacheBytes: Int, configuration: ModelConfiguration) {
        let pages = cacheBytes / KeyValueCache.pageByteCount(configuration)
        self.init(sequences: sequences, pages: max(1, pages))
    }
}
