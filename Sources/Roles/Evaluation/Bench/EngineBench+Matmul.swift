import Tensors
import Transformer

extension EngineBench {
    /// The rate of the products of a model's layers.
    public struct MatmulLine: Encodable, Sendable {
        /// What was timed.
        public let bench = "matmul"
        /// The median rate: 2 × rows × parameters of the matrices ÷ seconds × 10⁻⁹.
        public let gigaflops: Double
        /// The slowest and the fastest repetition.
        public let spread: [Double]
        /// The kernel row.
        public let row: String
        /// Threads.
        public let threads: Int
        /// What was asked for.
        public let settings: [String: Int]
    }

    /// Times the products alone: q/k/v, attention's output, gate/up and down of every layer, one after another.
    ///
    /// - Parameters:
    ///   - rows: rows of the input, M.
    ///   - cached: every matrix of the first layer many times in a row, instead of all layers as in a forward pass; the
    ///     weights then come from the caches as far as they fit.
    public func matmul(rows: Int, cached: Bool) -> MatmulLine {
        let layers = cached ? weights.layers.prefix(1) : weights.layers[...]
        let turns = cached ? weights.layers.count : 1
        let matrices = layers.flatMap { [$0.queryKeyValue, $0.attentionOutput, $0.gateUp, $0.down] }
        let widest = matrices.reduce(0) { max($0, $1.rows) }
        let longest = matrices.reduce(0) { max($0, $1.columns) }
        let input = Storage<BFloat16Bits>(count: rows * longest)
        for index in 0..<input.count { input.pointer[index] = 0x3C00 + BFloat16Bits(index * 7919 % 700) }
        let output = Storage<Float>(count: rows * widest)
        func pass() {
            for matrix in matrices {
                for _ in 0..<turns {
                    kernels.matmul(
                        input.pointer, stride: matrix.columns, rows: rows, by: matrix, into: output.pointer,
                        outStride: matrix.rows, pool: pool)
                }
            }
        }
        let parameters = matrices.reduce(0) { $0 + $1.rows * $1.columns } * turns
        let work = 2e-9 * Double(rows) * Double(parameters)
        pass()
        let rates = (0..<repeats).map { _ in
            let began = ContinuousClock.now
            pass()
            return work / (began.duration(to: .now) / .seconds(1))
        }
        return MatmulLine(
            gigaflops: Self.median(rates), spread: [rates.min() ?? 0, rates.max() ?? 0], row: kernels.row.rawValue,
            threads: pool.threads, settings: ["cached": cached ? 1 : 0, "rows": rows])
    }
}
