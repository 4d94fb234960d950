import Tensors

/// Multiplies hidden rows with the output projection and hands every row's logits to a closure, without ever holding
/// the logits of a whole batch.
///
/// Which thread sees a row, and together with which others it is multiplied, changes no bit of it.
public final class LogitsPass {
    private let output: PackedMatrix
    private let kernels: Kernels
    private let pool: ComputePool
    private let stride: Int
    private var scratch: Storage<Float>

    /// Below this many weights a thread takes whole rows; above, threads share the projection's panels.
    private static let sharedProjectionWeights = 1 << 19
    private static let rowsPerTask = 16
    private static let largestScratchBytes = 1 << 24

    /// A pass over `output` [vocabulary, hidden].
    public init(output: PackedMatrix, kernels: Kernels, pool: ComputePool) {
        self.output = output
        self.kernels = kernels
        self.pool = pool
        let width = PackedMatrix.panelWidth
        self.stride = (output.rows + width - 1) / width * width
        self.scratch = Storage(count: LogitsPass.rowsPerTask * pool.threads * stride, zeroed: false)
    }

    /// Calls `body` once for every row with its raw logits, on several threads at once and in no order.
    ///
    /// - Parameters:
    ///   - rows: bf16 [count, hidden], contiguous.
    ///   - body: must touch only what belongs to its row; the logits are gone when it returns.
    public func run(
        _ rows: UnsafePointer<BFloat16Bits>, count: Int, _ body: (_ row: Int, _ logits: UnsafePointer<Float>) -> Void
    ) {
        guard count > 0 else { return }
        if output.rows * output.columns < LogitsPass.sharedProjectionWeights {
            runByRows(rows, count: count, body)
        } else {
            runByPanels(rows, count: count, body)
        }
    }

    private func runByRows(
        _ rows: UnsafePointer<BFloat16Bits>, count: Int, _ body: (Int, UnsafePointer<Float>) -> Void
    ) {
        let block = LogitsPass.rowsPerTask
        let base = scratch.pointer
        pool.run((count + block - 1) / block) { task, thread in
            let first = task * block
            let taken = min(block, count - first)
            let logits = base + thread * block * stride
            kernels.matmul(
                rows + first * output.columns, stride: output.columns, rows: taken, by: output, into: logits,
                outStride: stride)
            for row in 0..<taken { body(first + row, UnsafePointer(logits + row * stride)) }
        }
    }

    private func runByPanels(
        _ rows: UnsafePointer<BFloat16Bits>, count: Int, _ body: (Int, UnsafePointer<Float>) -> Void
    ) {
        let block = max(1, min(count, LogitsPass.largestScratchBytes / (4 * stride)))
        if scratch.count < block * stride { scratch = Storage(count: block * stride, zeroed: false) }
        let logits = scratch.pointer
        for first in Swift.stride(from: 0, to: count, by: block) {
            let taken = min(block, count - first)
            kernels.matmul(
                rows + first * output.columns, stride: output.columns, rows: taken, by: output, into: logits,
                outStride: stride, pool: pool)
            pool.run(taken) { row, _ in body(first + row, UnsafePointer(logits + row * stride)) }
        }
    }
}
