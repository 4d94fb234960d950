import Tensors
import Transformer

/// What bounds a replayer's memory.
public struct ReplayLimits: Sendable, Hashable {
    /// Most pages of 16 positions in the key-value cache.
    public var pages: Int
    /// Groups are put together until their completions reach this many tokens.
    public var rows: Int

    /// Names the bounds.
    public init(pages: Int, rows: Int = 8192) {
        precondition(pages > 0 && rows > 0, "limits must be positive")
        self.pages = pages
        self.rows = rows
    }

    /// Bounds the cache by memory.
    public init(cacheBytes: Int, configuration: ModelConfiguration, rows: Int = 8192) {
        self.init(pages: max(1, cacheBytes / KeyValueCache.pageByteCount(configuration)), rows: rows)
    }

    /// Pages that the replay of some of a group's completions takes: the prompt once, and each completion from the
    /// prompt's last page on.
    static func pages(for request: ReplayRequest, _ completions: Range<Int>) -> Int {
        let prompt = request.promptTokens.count
        let shared = prompt / KeyValuePageLayout.positions
        return request.completions[completions].reduce(KeyValuePageLayout.pages(for: prompt)) { sum, completion in
            sum + KeyValuePageLayout.pages(for: prompt + completion.count - 1) - shared
        }
    }
}
