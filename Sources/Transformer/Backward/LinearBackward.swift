import Tensors

/// Derivatives of matrix products: of the input, of the weights and of the biases.
struct LinearBackward {
    let crew: TrainingCrew
    let kernels: Kernels
    let factors: ProductFactors
    /// What is added to.
    let target: GradientTarget

    /// The derivatives of products that share an input, side by side [rows, outputs].
    struct Output {
        let pointer: UnsafeMutablePointer<Float>
        let stride: Int
        let rows: Int
    }

    /// Backward of matrices that share an input and whose derivatives lie side by side in `output`.
    ///
    /// - Parameters:
    ///   - slices: the matrices, in the order in which they are packed below each other in `matrix`.
    ///   - biases: those of the same matrices, where the model has them.
    ///   - input: [rows, width].
    ///   - inputGradient: overwritten [rows, width].
    func run(
        _ slices: [TensorSlice], packed matrix: PackedMatrix, biases: [TensorSlice?], output: Output,
        input: UnsafePointer<BFloat16Bits>, into inputGradient: UnsafeMutablePointer<Float>
    ) {
        let width = matrix.columns
        addBiases(biases, slices, output)
        setInput(input, rows: output.rows, width: width)
        var column = 0
        for run in Self.adjoining(slices) {
            let outputs = run.count / width
            let part = Output(pointer: output.pointer + column, stride: output.stride, rows: output.rows)
            product(
                part, by: matrix, rows: column..<column + outputs, at: run.lowerBound, into: inputGradient,
                accumulating: column > 0)
            if case .adapter(let adapter) = target {
                adapt(adapter, slices.filter { run.contains($0.offset) }, part, outputs: outputs, input, width: width)
            }
            column += outputs
        }
    }

    /// The factors of the adapted matrices among those whose derivatives ``product(_:by:rows:at:into:accumulating:)`` has
    /// just used.
    private func adapt(
        _ adapter: AdapterBackward, _ slices: [TensorSlice], _ output: Output, outputs: Int,
        _ input: UnsafePointer<BFloat16Bits>, width: Int
    ) {
        let isRounded = factors.precision == .bfloat16
        let product = AdapterBackward.Product(
            output: output, rounded: factors.rounded.pointer, roundedStride: outputs,
            transposed: factors.transposed.pointer, input: input,
            packedInput: isRounded
                ? PackedMatrix(rows: width, columns: output.rows, over: factors.packedInputs) : nil,
            widenedInput: factors.inputs.pointer, width: width)
        var column = 0
        for slice in slices {
            if let pair = adapter.operands.factors.layout.pair(for: slice) {
                adapter.add(pair, product, column: column, crew, kernels)
            }
            column += slice.shape[0]
        }
    }

    /// Takes the input that the next calls of ``product(_:by:rows:at:into:accumulating:)`` share.
    func setInput(_ input: UnsafePointer<BFloat16Bits>, rows: Int, width: Int) {
        switch factors.precision {
        case .bfloat16:
            let matrix = PackedMatrix(rows: width, columns: rows, over: factors.packedInputs)
            crew.run(over: matrix.pairCount, by: 64) { pairs, _ in
                matrix.packTransposed(input, stride: width, pairs: pairs)
            }
        case .float32:
            crew.run(over: rows * width, by: 1 << 16) { block, _ in
                TrainingKernels.widen(
                    input + block.lowerBound, factors.inputs.pointer + block.lowerBound, count: block.count)
            }
        }
    }

    /// Backward of some rows of a packed matrix.
    ///
    /// - Parameter offset: where the derivative of the first row lies in the flat allocation.
    func product(
        _ output: Output, by matrix: PackedMatrix, rows: Range<Int>, at offset: Int,
        into inputGradient: UnsafeMutablePointer<Float>, accumulating: Bool
    ) {
        let (outputs, width) = (rows.count, matrix.columns)
        let source = UnsafePointer(factors.rows.pointer)
        let sum = target.weights.map { $0 + offset }
        crew.run(over: outputs, by: PackedMatrix.panelWidth) { block, _ in
            matrix.unpack(
                rows.lowerBound + block.lowerBound..<rows.lowerBound + block.upperBound,
                into: factors.rows.pointer + block.lowerBound * width)
        }
        switch factors.precision {
        case .bfloat16:
            rounded(
                output, outputs: outputs, width: width, weights: source, weightGradient: sum,
                into: inputGradient, accumulating: accumulating)
        case .float32:
            plain(
                output, outputs: outputs, width: width, weights: source, weightGradient: sum,
                into: inputGradient, accumulating: accumulating)
        }
    }

    private func rounded(
        _ output: Output, outputs: Int, width: Int, weights: UnsafePointer<BFloat16Bits>,
        weightGradient: UnsafeMutablePointer<Float>?, into inputGradient: UnsafeMutablePointer<Float>,
        accumulating: Bool
    ) {
        let rows = output.rows
        let rounded = factors.rounded.pointer
        let transposed = factors.transposed.pointer
        crew.run(over: rows, by: 16) { block, _ in
            for row in block {
                kernels.roundToBFloat16(
                    output.pointer + row * output.stride, into: rounded + row * outputs, count: outputs)
            }
        }
        let matrix = PackedMatrix(rows: width, columns: outputs, over: factors.packedWeights)
        crew.run(over: matrix.pairCount, by: 64) { pairs, _ in
            matrix.packTransposed(weights, stride: width, pairs: pairs)
        }
        crew.multiply(
            kernels, rounded, stride: outputs, rows: rows, by: matrix, into: inputGradient, outStride: width,
            accumulating: accumulating)
        guard let weightGradient else { return }
        crew.run(over: outputs, by: 64) { columns, _ in
            TrainingKernels.roundTransposed(
                output.pointer, stride: output.stride, rows: rows, columns: columns, into: transposed,
                targetStride: rows)
        }
        crew.multiply(
            kernels, transposed, stride: rows, rows: outputs,
            by: PackedMatrix(rows: width, columns: rows, over: factors.packedInputs), into: weightGradient,
            outStride: width, accumulating: true)
    }

    /// Columns of the input's derivative, and rows of the weights', that one f32 product makes.
    private static let (plainColumns, plainRows) = (512, 256)

    private func plain(
        _ output: Output, outputs: Int, width: Int, weights: UnsafePointer<BFloat16Bits>,
        weightGradient: UnsafeMutablePointer<Float>?, into inputGradient: UnsafeMutablePointer<Float>,
        accumulating: Bool
    ) {
        let widened = factors.weights.pointer
        crew.run(over: outputs * width, by: 1 << 16) { block, _ in
            TrainingKernels.widen(weights + block.lowerBound, widened + block.lowerBound, count: block.count)
        }
        crew.run(over: width, by: Self.plainColumns) { columns, _ in
            Blas.multiply(
                rows: output.rows, columns: columns.count, inner: outputs, left: output.pointer,
                leftStride: output.stride, right: widened + columns.lowerBound, rightStride: width,
                result: inputGradient + columns.lowerBound, resultStride: width, keep: accumulating ? 1 : 0)
        }
        guard let weightGradient else { return }
        crew.run(over: outputs, by: Self.plainRows) { block, _ in
            Blas.multiply(
                rows: block.count, columns: width, inner: output.rows, left: output.pointer + block.lowerBound,
                leftStride: output.stride, .transposed, right: factors.inputs.pointer, rightStride: width,
                result: weightGradient + block.lowerBound * width, resultStride: width, keep: 1)
        }
    }

    private func addBiases(_ biases: [TensorSlice?], _ slices: [TensorSlice], _ output: Output) {
        guard let sums = target.weights else { return }
        var column = 0
        for (bias, slice) in zip(biases, slices) {
            let outputs = slice.shape[0]
            if let bias {
                let start = output.pointer + column
                let sums = sums + bias.offset
                crew.run(over: outputs, by: 128) { columns, _ in
                    TrainingKernels.addColumns(
                        start + columns.lowerBound, stride: output.stride, rows: output.rows, count: columns.count,
                        to: sums + columns.lowerBound)
                }
            }
            column += outputs
        }
    }

    /// Joins slices that touch in the flat allocation, so that q, k and v are one product where no padding parts them.
    private static func adjoining(_ slices: [TensorSlice]) -> [Range<Int>] {
        slices.reduce(into: []) { runs, slice in
            if let last = runs.last, last.upperBound == slice.offset {
                runs[runs.count - 1] = last.lowerBound..<slice.range.upperBound
            } else {
                runs.append(slice.range)
            }
        }
    }
}
