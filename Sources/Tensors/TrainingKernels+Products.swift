import CKernels

/// Operands of backward products in bf16, which run on the forward pass's kernels: two to three times as fast as f32.
extension TrainingKernels {
    /// Adds the column sums of [rows, count] to `sums`: the derivative of a bias.
    public static func addColumns(
        _ source: UnsafePointer<Float>, stride: Int, rows: Int, count: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        ck_training_add_columns(source, stride, rows, count, sums)
    }

    /// Rounds columns of an f32 matrix to bf16 and writes each as a row: `target[c, r] = bf16(source[r, c])`.
    public static func roundTransposed(
        _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Range<Int>,
        into target: UnsafeMutablePointer<BFloat16Bits>, targetStride: Int
    ) {
        ck_training_round_transposed(
            source, stride, rows, columns.lowerBound, columns.upperBound, target, targetStride)
    }
}

extension PackedMatrix {
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

    /// Pairs along the summed dimension.
    public var pairCount: Int { (columns + 1) / 2 }
}
