/// How rows are cut into chunks: 32 rows from the first, the last chunk shorter (ARITHMETIC rule 11).
public struct Chunking: Hashable, Sendable {
    /// Rows of a full chunk.
    public let rows: Int
    /// Values that a TOPLOC proof goes through, where a chunk has as many.
    public let topK: Int

    /// What every run uses: 32 rows, the top 128.
    public static let standard = Chunking(rows: 32, topK: 128)

    /// Both sizes must be positive.
    public init(rows: Int, topK: Int) {
        precondition(rows > 0 && topK > 0, "A chunk has at least one row and a proof at least one point.")
        self.rows = rows
        self.topK = topK
    }

    /// How many chunks so many rows make.
    public func count(forRows total: Int) -> Int {
        total <= 0 ? 0 : (total - 1) / rows + 1
    }

    /// The rows of one chunk.
    public func range(ofChunk chunk: Int, rows total: Int) -> Range<Int> {
        chunk * rows..<min((chunk + 1) * rows, total)
    }

    /// How many points the proof of a chunk has: `min(k, rows · hidden)`.
    public func points(inChunk chunk: Int, rows total: Int, hidden: Int) -> Int {
        min(topK, range(ofChunk: chunk, rows: total).count * hidden)
    }
}
