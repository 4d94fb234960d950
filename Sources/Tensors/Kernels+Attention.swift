import CKernels

/// What attention has to know about a model.
public struct AttentionShape: Sendable, Equatable {
    /// Query heads.
    public let heads: Int
    /// Key/value heads; divides `heads`.
    public let keyValueHeads: Int
    /// Values per head; even.
    public let headDimension: Int
    /// How many positions a query sees, itself included; 0 means all.
    public let window: Int
    /// The factor on scores.
    public let scale: Float

    /// A shape; the scale is `f32(1 / √headDimension)` unless given.
    public init(heads: Int, keyValueHeads: Int, headDimension: Int, window: Int = 0, scale: Float? = nil) {
        precondition(keyValueHeads > 0 && heads % keyValueHeads == 0, "query heads must be a multiple of kv heads")
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.window = window
        self.scale = scale ?? Float(1 / Double(headDimension).squareRoot())
    }

    /// Query heads that share one key/value head.
    public var group: Int {
        heads / keyValueHeads
    }

    /// Floats of scratch that one call needs when its last row sees `positions` positions.
    public func scratchCount(positions: Int) -> Int {
        ck_attention_scratch(headDimension, positions)
    }
}

/// Consecutive positions of one sequence whose attention is computed, and the pages that they see.
public struct AttentionSegment {
    let forC: ck_attention_segment

    /// Describes a segment; keys and values of all its positions must be in the pages when it is computed.
    ///
    /// - Parameters:
    ///   - pages: page i holds positions 16 i ..< 16 i + 16; must outlive the segment.
    ///   - rows: consecutive positions, one at least.
    ///   - firstPosition: the absolute position of the first; it sees 0...firstPosition.
    ///   - firstRow: its row among the queries.
    public init(pages: UnsafePointer<UnsafePointer<BFloat16Bits>>, rows: Int, firstPosition: Int, firstRow: Int = 0) {
        forC = ck_attention_segment(pages: pages, rows: rows, first_position: firstPosition, first_row: firstRow)
    }

    /// The page of the first position, and the last page that any position sees.
    public var firstPage: Int { forC.first_position / KeyValuePageLayout.positions }
    /// See ``firstPage``.
    public var lastPage: Int { (forC.first_position + forC.rows - 1) / KeyValuePageLayout.positions }

    /// Where a page lies.
    public func page(_ index: Int) -> UnsafePointer<BFloat16Bits> { forC.pages[index] }

    /// How many leading pages this segment and another one have in common, up to where the earlier one begins.
    public func sharedPages(with other: AttentionSegment) -> Int {
        let most = min(forC.first_position, other.forC.first_position) / KeyValuePageLayout.positions
        if forC.pages == other.forC.pages { return most }
        return (0..<most).first { forC.pages[$0] != other.forC.pages[$0] } ?? most
    }
}

extension Kernels {
    /// Attention of one sequence, or of several that may share pages (rule 7); the same function decodes and prefills.
    ///
    /// What segments share is read once. That, and which segments are computed together, changes no bit.
    /// - Parameters:
    ///   - segments: One at least.
    ///   - sharedPages: Leading pages that all segments have in common; see `AttentionSegment.sharedPages(with:)`.
    ///   - query: bf16 [rows, heads, headDimension], rotated.
    ///   - keyValueHeads: The key/value heads to compute (a unit of work for a pool).
    ///   - out: bf16, shaped as `query`.
    ///   - scratch: `shape.scratchCount(positions:)` floats for the longest segment that nobody else uses meanwhile.
    public func attention(
        _ segments: UnsafeBufferPointer<AttentionSegment>, sharedPages: Int = 0, query: UnsafePointer<BFloat16Bits>,
        stride: Int, layout: KeyValuePageLayout, layer: Int, shape: AttentionShape, keyValueHeads: Range<Int>,
        into out: UnsafeMutablePointer<BFloat16Bits>, outStride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        guard let start = segments.baseAddress else { return }
        // A segment is nothing but its C form.
        let first = UnsafeRawPointer(start).assumingMemoryBound(to: ck_attention_segment.self)
        CanonicalEnvironment.run {
            for head in keyValueHeads {
                let column = head * shape.group * shape.headDimension
                var job = ck_attention_job(
                    segments: first, segment_count: segments.count, shared_pages: sharedPages, query: query + column,
                    query_stride: stride, out: out + column, out_stride: outStride, group: shape.group,
                    head_dimension: shape.headDimension, window: shape.window, scale: shape.scale,
                    key_offset: layout.keyOffset(layer: layer, head: head),
                    value_offset: layout.valueOffset(layer: layer, head: head), scratch: scratch)
                table.pointee.attention(&job)
            }
        }
    }

    /// Attention of consecutive positions of one sequence.
    ///
    /// - Parameters:
    ///   - firstPosition: The absolute position of row 0; row r sees 0...firstPosition + r.
    ///   - pages: Page i holds positions 16 i ..< 16 i + 16.
    ///   - keyValueHeads: The key/value heads to compute, all by default.
    ///   - scratch: `shape.scratchCount(positions: firstPosition + rows)` floats that nobody else uses meanwhile.
    public func attention(
        query: UnsafePointer<BFloat16Bits>, stride: Int, rows: Int, firstPosition: Int,
        pages: UnsafePointer<UnsafePointer<BFloat16Bits>>, layout: KeyValuePageLayout, layer: Int,
        shape: AttentionShape, keyValueHeads: Range<Int>? = nil, into out: UnsafeMutablePointer<BFloat16Bits>,
        outStride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: AttentionSegment(pages: pages, rows: rows, firstPosition: firstPosition)) { segment in
            attention(
                UnsafeBufferPointer(start: segment, count: 1), query: query, stride: stride, layout: layout,
                layer: layer, shape: shape, keyValueHeads: keyValueHeads ?? 0..<shape.keyValueHeads, into: out,
                outStride: outStride, scratch: scratch)
        }
    }
}
