import Tensors

/// Derivatives of an adapter's factors, straight through the roundings of the merge.
///
/// With Y = X·Wᵀ and W = base + s · (B·A): `dB = s · dYᵀ(X·Aᵀ)` and `dA = s · (dY·B)ᵀ·X`. Neither needs the derivative of
/// W, which is as large as W itself.
struct AdapterBackward {
    let operands: AdapterOperands
    /// Added to.
    let sums: AdapterWeights
    /// Where derivatives of frozen vectors go; as long as the longest.
    let discarded: Storage<Float>

    /// The derivative of a product's output [rows, …] and its input [rows, width], as the pass has them.
    struct Product {
        let rows: Int
        let input: UnsafePointer<BFloat16Bits>
        let form: Form
        let width: Int

        /// The factors of the product's derivative.
        enum Form {
            /// The derivative rounded, and the input packed so that rows are summed over.
            case rounded(RoundedDerivative, input: PackedMatrix)
            /// The derivative as it is, and the input widened.
            case plain(LinearBackward.Output, input: UnsafePointer<Float>)
        }
    }

    /// Adds the derivatives of the factors of the matrices that are adapted among those side by side in a product.
    func add(_ slices: [TensorSlice], _ product: Product, _ crew: TrainingCrew, _ kernels: Kernels) {
        var column = 0
        for slice in slices {
            if let pair = operands.factors.layout.pair(for: slice) {
                switch product.form {
                case .rounded(let derivative, let input):
                    addRounded(pair, product, derivative.from(output: column), input, crew, kernels)
                case .plain(let output, let input): addPlain(pair, product, output, input, column: column)
                }
            }
            column += slice.shape[0]
        }
    }

    private var rank: Int { operands.factors.configuration.rank }
    private var scale: Float { operands.factors.configuration.scale }

    private func addRounded(
        _ pair: AdapterPair, _ product: Product, _ derivative: RoundedDerivative, _ packedInput: PackedMatrix,
        _ crew: TrainingCrew, _ kernels: Kernels
    ) {
        let rows = product.rows
        let inner = Storage<Float>(count: rows * rank, zeroed: false)
        let narrow = Storage<BFloat16Bits>(count: rows * rank, zeroed: false)
        defer { withExtendedLifetime((inner, narrow)) {} }

        let through = operands.packed(pair)
        crew.multiply(
            kernels, derivative.rows, stride: derivative.rowStride, rows: rows, by: through.up,
            into: inner.pointer, outStride: rank)
        eachPart(of: inner, rows: rows, narrow) {
            crew.multiply(
                kernels, narrow.pointer, stride: rows, rows: rank, by: packedInput,
                into: sums.values.pointer + pair.down.offset, outStride: product.width, accumulating: true)
        }

        crew.multiply(
            kernels, product.input, stride: product.width, rows: rows, by: through.down, into: inner.pointer,
            outStride: rank)
        eachPart(of: inner, rows: rows, narrow) {
            crew.multiply(
                kernels, derivative.columns, stride: derivative.columnStride, rows: pair.weight.shape[0],
                by: PackedMatrix(narrow.pointer, rows: rank, columns: rows),
                into: sums.values.pointer + pair.up.offset, outStride: rank, accumulating: true)
        }
    }

    /// Runs `body` with `s · source` rounded and transposed, [rank, rows], and again with what the rounding left: the
    /// inner dimension is so small that a second product costs less than the error would.
    private func eachPart(
        of source: Storage<Float>, rows: Int, _ target: Storage<BFloat16Bits>, _ body: () -> Void
    ) {
        for index in 0..<source.count { source.pointer[index] *= scale }
        for part in 0..<2 {
            TrainingKernels.roundTransposed(
                source.pointer, stride: rank, rows: rows, columns: rank, into: target.pointer, targetStride: rows)
            body()
            guard part == 0 else { return }
            for row in 0..<rows {
                for column in 0..<rank {
                    source.pointer[row * rank + column] -=
                        Float(bitPattern: UInt32(target.pointer[column * rows + row]) << 16)
                }
            }
        }
    }

    private func addPlain(
        _ pair: AdapterPair, _ product: Product, _ derivative: LinearBackward.Output, _ input: UnsafePointer<Float>,
        column: Int
    ) {
        let rows = product.rows
        let (outputs, width) = (pair.weight.shape[0], product.width)
        let inner = Storage<Float>(count: rows * rank, zeroed: false)
        defer { withExtendedLifetime(inner) {} }
        let output = derivative.pointer + column
        Blas.multiply(
            rows: rows, columns: rank, inner: outputs, left: output, leftStride: derivative.stride,
            right: operands.widened.pointer + pair.up.offset, rightStride: rank, result: inner.pointer,
            resultStride: rank)
        Blas.multiply(
            rows: rank, columns: width, inner: rows, left: inner.pointer, leftStride: rank, .transposed,
            right: input, rightStride: width, result: sums.values.pointer + pair.down.offset,
            resultStride: width, scale: scale, keep: 1)
        Blas.multiply(
            rows: rows, columns: rank, inner: width, left: input, leftStride: width,
            right: operands.widened.pointer + pair.down.offset, rightStride: width, .transposed,
            result: inner.pointer, resultStride: rank)
        Blas.multiply(
            rows: outputs, columns: rank, inner: rows, left: output, leftStride: derivative.stride, .transposed,
            right: inner.pointer, rightStride: rank, result: sums.values.pointer + pair.up.offset, resultStride: rank,
            scale: scale, keep: 1)
    }
}

/// The factors of an adapter in the forms that backward products need, made once per pass.
struct AdapterOperands {
    let factors: AdapterFactors
    /// All factors widened, laid out as they are.
    let widened: Storage<Float>
    /// By the place of the matrix that they change.
    private let matrices: [Int: (down: PackedMatrix, up: PackedMatrix)]

    init(_ factors: AdapterFactors, precision: TrainingPlan.Precision) {
        self.factors = factors
        let layout = factors.layout
        let rank = layout.configuration.rank
        switch precision {
        case .float32:
            widened = Storage(count: layout.elementCount, zeroed: false)
            TrainingKernels.widen(factors.values.pointer, widened.pointer, count: layout.elementCount)
            matrices = [:]
        case .bfloat16:
            widened = Storage(count: 0)
            var matrices: [Int: (down: PackedMatrix, up: PackedMatrix)] = [:]
            for pair in layout.pairs {
                let up = PackedMatrix(rows: rank, columns: pair.up.shape[0])
                up.packTransposed(factors[pair.up], stride: rank, pairs: 0..<up.pairCount)
                matrices[pair.weight.offset] = (
                    PackedMatrix(factors[pair.down], rows: rank, columns: pair.down.shape[1]), up
                )
            }
            self.matrices = matrices
        }
    }

    /// A as it is and B transposed, both with a row per rank.
    func packed(_ pair: AdapterPair) -> (down: PackedMatrix, up: PackedMatrix) {
        guard let found = matrices[pair.weight.offset] else { preconditionFailure("packed factors exist in bf16 only") }
        return found
    }
}
