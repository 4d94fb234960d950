import CKernels

/// Where a derivative goes that products in bf16 read: row by row, and with a row per output.
public struct RoundedDerivative {
    /// [rows, outputs].
    public let rows: UnsafeMutablePointer<BFloat16Bits>
    /// Elements from row to row.
    public let rowStride: Int
    /// [outputs, rows].
    public let columns: UnsafeMutablePointer<BFloat16Bits>
    /// Elements from output to output: a multiple of ``block``, because rows are written that many at a time.
    public let columnStride: Int

    /// Rows that are written together; who shares out rows cuts at multiples of it.
    public static let block = 32

    /// A place from its parts.
    public init(
        rows: UnsafeMutablePointer<BFloat16Bits>, rowStride: Int, columns: UnsafeMutablePointer<BFloat16Bits>,
        columnStride: Int
    ) {
        precondition(columnStride % Self.block == 0, "columns are written \(Self.block) rows at a time")
        self.rows = rows
        self.rowStride = rowStride
        self.columns = columns
        self.columnStride = columnStride
    }

    /// Rounds one finite element into both forms.
    public func set(_ value: Float, row: Int, output: Int) {
        let bits = value.bitPattern
        let rounded = BFloat16Bits((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
        rows[row * rowStride + output] = rounded
        columns[output * columnStride + row] = rounded
    }

    /// The part that begins at an output.
    public func from(output: Int) -> RoundedDerivative {
        RoundedDerivative(
            rows: rows + output, rowStride: rowStride, columns: columns + output * columnStride,
            columnStride: columnStride)
    }
}

/// Operands of backward products in bf16, which run on the forward pass's kernels: two to three times as fast as f32.
extension TrainingKernels {
    /// Adds the column sums of [rows, count] to `sums`: the derivative of a bias.
    public static func addColumns(
        _ source: UnsafePointer<Float>, stride: Int, rows: Int, count: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        ck_training_add_columns(source, stride, rows, count, sums)
    }

    /// Adds the sums over `rows` rows of some outputs to `sums`: the derivative of a bias.
    public static func addSums(
        _ derivative: RoundedDerivative, rows: Int, outputs: Range<Int>, to sums: UnsafeMutablePointer<Float>
    ) {
        ck_training_add_row_sums(
            derivative.columns + outputs.lowerBound * derivative.columnStride, derivative.columnStride, outputs.count,
            rows, sums + outputs.lowerBound)
    }

    /// Rounds a small f32 matrix to bf16 and transposes it: `target[c, r] = bf16(source[r, c])`.
    public static func roundTransposed(
        _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
        into target: UnsafeMutablePointer<BFloat16Bits>, targetStride: Int
    ) {
        ck_training_round_transposed(source, stride, rows, columns, target, targetStride)
    }

    /// Rounds some rows of a derivative, `outputs` of each; they begin at a multiple of ``RoundedDerivative/block``.
    public static func round(
        _ source: UnsafePointer<Float>, stride: Int, rows: Range<Int>, outputs: Int, into target: RoundedDerivative
    ) {
        ck_training_round_both(
            source, stride, rows.lowerBound, rows.upperBound, outputs, target.rows, target.rowStride, target.columns,
            target.columnStride)
    }

    /// Backward of `gate / (1 + exp(−gate)) · up`, rounded: gate's derivatives, then up's.
    ///
    /// - Parameters:
    ///   - gateUp: gate and up side by side, `stride` from row to row.
    ///   - outputGradient: [rows, width].
    public static func swiGLUBackward(
        gateUp: UnsafePointer<Float>, stride: Int, outputGradient: UnsafePointer<Float>, rows: Range<Int>, width: Int,
        into target: RoundedDerivative
    ) {
        ck_training_swiglu_backward_rounded(
            gateUp, stride, outputGradient, rows.lowerBound, rows.upperBound, width, target.rows, target.rowStride,
            target.columns, target.columnStride)
    }

    /// `exp(z − maximum)` in 16 bits with z = logit / temperature, for a block of logits with that maximum.
    ///
    /// - Parameter numerators: nil where only the sum is wanted.
    /// - Returns: `Σ exp(z − maximum) · (z − maximum)`, which the entropy needs.
    public static func softmaxNumerators(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float, maximum: Float,
        into numerators: UnsafeMutablePointer<UInt16>?
    ) -> Float {
        ck_training_softmax_numerators(logits, count, temperature, maximum, numerators)
    }

    /// The number that a numerator stands for.
    public static func softmaxNumerator(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 14) }

    /// Multiplies some rows of numerators by a factor each, and rounds.
    public static func softmaxBackward(
        _ numerators: UnsafePointer<UInt16>, stride: Int, factors: UnsafePointer<Float>, rows: Range<Int>,
        count: Int, into target: RoundedDerivative
    ) {
        ck_training_softmax_backward(
            numerators, stride, factors, rows.lowerBound, rows.upperBound, count, target.rows, target.rowStride,
            target.columns, target.columnStride)
    }
}

extension PackedMatrix {
    /// Packs the whole matrix from rows that lie `stride` elements apart.
    public func pack(_ source: UnsafePointer<BFloat16Bits>, stride: Int) {
        ck_pack_rows(source, stride, rows, columns, storage.pointer, 0)
    }

    /// Packs rows of a row-major source whose *columns* are this matrix's rows: the transpose, without writing it out.
    ///
    /// Packing pair p reads source rows 2p and 2p + 1. Nobody may read the matrix meanwhile; threads may share the pairs.
    ///
    /// - Parameters:
    ///   - source: bf16 [columns, rows] with `stride` elements from row to row.
    ///   - pairs: the pairs to pack, of ``pairCount``.
    public func packTransposed(_ source: UnsafePointer<BFloat16Bits>, stride: Int, pairs: Range<Int>) {
        precondition(pairs.lowerBound >= 0 && pairs.upperBound <= pairCount, "pairs outside the matrix")
        ck_training_pack_transposed(
            source, stride, columns, rows, pairs.lowerBound, pairs.upperBound, storage.pointer)
    }

    /// Packs the transpose of rows of another packed matrix, from `first` on, as many as this one has columns.
    ///
    /// - Parameter pairs: the pairs to pack, of ``pairCount``; threads may share them.
    public func packTransposed(_ matrix: PackedMatrix, from first: Int, pairs: Range<Int>) {
        precondition(pairs.lowerBound >= 0 && pairs.upperBound <= pairCount, "pairs outside the matrix")
        precondition(first >= 0 && first + columns <= matrix.rows && rows == matrix.columns, "rows of another shape")
        ck_training_transpose_panels(
            matrix.storage.pointer, matrix.columns, first, columns, pairs.lowerBound, pairs.upperBound,
            storage.pointer)
    }

    /// Pairs along the summed dimension.
    public var pairCount: Int { (columns + 1) / 2 }
}
