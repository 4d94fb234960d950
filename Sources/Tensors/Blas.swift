import COpenBLAS

/// Plain f32 matrix products for backward passes, by OpenBLAS.
///
/// Committed forward arithmetic never comes here: OpenBLAS's bits change with the batch and with the machine. Each call
/// runs on the calling thread alone; the house parallelises over independent calls.
public enum Blas {
    /// OpenBLAS would otherwise start threads of its own for large products.
    private static let isPrepared: Void = openblas_set_num_threads(1)

    /// Whether a matrix is read as stored or transposed.
    public enum Layout: Sendable {
        case asStored
        case transposed

        fileprivate var flag: CBLAS_TRANSPOSE { self == .asStored ? CblasNoTrans : CblasTrans }
    }

    /// `result = scale · op(left) · op(right) + keep · result`, all row-major.
    ///
    /// - Parameters:
    ///   - rows: rows of the result.
    ///   - columns: columns of the result.
    ///   - inner: the length of the summed dimension.
    ///   - left: op(left) is [rows, inner]; `leftStride` is its stored row length.
    ///   - right: op(right) is [inner, columns]; `rightStride` is its stored row length.
    ///   - keep: 0 overwrites the result, 1 adds to it.
    public static func multiply(
        rows: Int, columns: Int, inner: Int,
        left: UnsafePointer<Float>, leftStride: Int, _ leftLayout: Layout = .asStored,
        right: UnsafePointer<Float>, rightStride: Int, _ rightLayout: Layout = .asStored,
        result: UnsafeMutablePointer<Float>, resultStride: Int, scale: Float = 1, keep: Float = 0
    ) {
        guard rows > 0, columns > 0 else { return }
        _ = isPrepared
        cblas_sgemm(
            CblasRowMajor, leftLayout.flag, rightLayout.flag, Int32(rows), Int32(columns), Int32(inner), scale,
            left, Int32(leftStride), right, Int32(rightStride), keep, result, Int32(resultStride))
    }
}
