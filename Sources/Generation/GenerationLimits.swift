import Tensors
import Transformer

/// What bounds an engine's memory, and the length of its steps.
public struct GenerationLimits: Sendable, Hashable {
    /// Most samples that are decoded at the same time.
    public var sequences: Int
    /// Most pages of 16 positions in the key-value cache, over all versions of the weights.
    public var pages: Int
    /// Most groups that wait to be started; `add` refuses more.
    public var waitingGroups: Int
    /// Most prompt positions that one step computes beside the tokens that it decodes.
    ///
    /// A longer prompt is spread over several steps, so that it does not keep all others waiting.
    public var promptRows: Int

    /// Measured: with fewer, products are less busy; with more, sequences wait longer for their tokens, and nothing is won.
    public static let defaultPromptRows = 256

    /// Names the bounds.
    public init(
        sequences: Int, pages: Int, waitingGroups: Int = 4096, promptRows: Int = GenerationLimits.defaultPromptRows
    ) {
        precondition(
            sequences > 0 && pages > 0 && waitingGroups > 0 && promptRows > 0, "limits must be positive")
        self.sequences = sequences
        self.pages = pages
        self.waitingGroups = waitingGroups
        self.promptRows = promptRows
    }

    /// Bounds the cache by memory.
    public init(sequences: Int, cacheBytes: Int, configuration: ModelConfiguration) {
        let pages = cacheBytes / KeyValueCache.pageByteCount(configuration)
        self.init(sequences: sequences, pages: max(1, pages))
    }
}
