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
        ck_attention_scratch(group, positions)
    }
}

extension Kernels {
    /// Attention of consecutive positions of one sequence (rule 7); the same function decodes and prefills.
    ///
    /// Keys and values of all positions up to the last row's must already be in the pages.
    /// - Parameters:
    ///   - query: bf16 [rows, heads, headDimension], rotated.
    ///   - firstPosition: The absolute position of row 0; row r sees 0...firstPosition + r.
    ///   - pages: Page i holds positions 16 i ..< 16 i + 16.
    ///   - keyValueHeads: The key/value heads to compute, all by default (a unit of work for a pool).
    ///   - out: bf16, shaped as `query`.
    ///   - scratch: `shape.scratchCount(positions: firstPosition + rows)` floats that nobody else uses meanwhile.
    public func attention(
        query: UnsafePointer<BFloat16Bits>, stride: Int, rows: Int, firstPosition: Int,
        pages: UnsafePointer<UnsafePointer<BFloat16Bits>>, layout: KeyValuePageLayout, layer: Int,
        shape: AttentionShape, keyValueHeads: Range<Int>? = nil, into out: UnsafeMutablePointer<BFloat16Bits>,
        outStride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        let heads = keyValueHeads ?? 0..<shape.keyValueHeads
        CanonicalEnvironment.run {
            for head in heads {
                let column = head * shape.group * shape.headDimension
                var job = ck_attention_job(
                    query: query + column, query_stride: stride, out: out + column, out_stride: outStride,
                    rows: rows, first_position: firstPosition, group: shape.group,
                    head_dimension: shape.headDimension, window: shape.window, scale: shape.scale, pages: pages,
                    key_offset: layout.keyOffset(layer: layer, head: head),
                    value_offset: layout.valueOffset(layer: layer, head: head), scratch: scratch)
                table.pointee.attention(&job)
            }
        }
    }
}
