import CKernels

extension Kernels {
    /// Merges a low-rank adapter into rows of a weight matrix: `bf16(W + (B·A) · scale)` (rule 16).
    ///
    /// B·A is a product of rule 3 over the rank; scaling and sum are rounded to binary32 each, and the sum once to bf16.
    /// Where the scaled product is zero the weight keeps its bits.
    ///
    /// - Parameters:
    ///   - base: bf16 [rows, down.rows]; `target` may be the same memory.
    ///   - up: these rows of B, bf16 [rows, rank].
    ///   - down: A transposed, packed: as many rows as the weight has columns, one column per rank.
    ///   - scratch: `rows * down.rows` floats.
    public func merge(
        base: UnsafePointer<BFloat16Bits>, up: UnsafePointer<BFloat16Bits>, down: PackedMatrix, scale: Float,
        rows: Int, into target: UnsafeMutablePointer<BFloat16Bits>, scratch: UnsafeMutablePointer<Float>
    ) {
        matmul(up, stride: down.columns, rows: rows, by: down, into: scratch, outStride: down.rows)
        CanonicalEnvironment.run { ck_merge(base, scratch, scale, target, rows * down.rows) }
    }
}
