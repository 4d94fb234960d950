import Tensors

/// Derivatives of matrix products: of the input, of the weights and of the biases.
///
/// In bf16 a derivative is rounded once, into the two forms that its products read (``ProductFactors/derivative``); in f32
/// OpenBLAS multiplies it as it is.
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
        switch factors.precision {
        case .bfloat16:
            let derivative = factors.derivative(outputs: matrix.rows, rows: output.rows)
            crew.run(over: output.rows, by: RoundedDerivative.block) { rows, _ in
                TrainingKernels.round(
                    output.pointer, stride: output.stride, rows: rows, outputs: matrix.rows, into: derivative)
            }
            runRounded(
                slices, packed: matrix, biases: biases, rows: output.rows, input: input, into: inputGradient)
        case .float32:
            runPlain(slices, packed: matrix, biases: biases, output: output, input: input, into: inputGradient)
        }
    }

    /// The same of a derivative that was rounded to ``ProductFactors/derivative`` already.
    func runRounded(
        _ slices: [TensorSlice], packed matrix: PackedMatrix, biases: [TensorSlice?], rows: Int,
        input: UnsafePointer<BFloat16Bits>, into inputGradient: UnsafeMutablePointer<Float>
    ) {
        let derivative = factors.derivative(outputs: matrix.rows, rows: rows)
        inputProduct(derivative, by: matrix, rows: 0..<matrix.rows, count: rows, into: inputGradient)
        setInput(input, rows: rows, width: matrix.columns)
        switch target {
        case .model:
            addBiases(biases, slices, derivative, rows: rows)
            for run in Self.adjoining(slices) {
                weightProduct(
                    derivative.from(output: run.column), outputs: run.elements.count / matrix.columns, rows: rows,
                    width: matrix.columns, at: run.elements.lowerBound, adding: target.isAdding)
            }
        case .adapter(let adapter):
            let product = AdapterBackward.Product(
                rows: rows, input: input,
                form: .rounded(
                    derivative, input: PackedMatrix(rows: matrix.columns, columns: rows, over: factors.packedInputs)),
                width: matrix.columns)
            adapter.add(slices, product, crew, kernels)
        }
    }

    /// Packs the input that ``weightProduct(_:outputs:rows:width:at:adding:)`` multiplies.
    func setInput(_ input: UnsafePointer<BFloat16Bits>, rows: Int, width: Int) {
        let matrix = PackedMatrix(rows: width, columns: rows, over: factors.packedInputs)
        crew.run(over: matrix.pairCount, by: 32) { pairs, _ in
            matrix.packTransposed(input, stride: width, pairs: pairs)
        }
    }

    /// The derivative of the input of some rows of a packed matrix, for `count` rows of the input.
    func inputProduct(
        _ derivative: RoundedDerivative, by matrix: PackedMatrix, rows: Range<Int>, count: Int,
        into inputGradient: UnsafeMutablePointer<Float>, accumulating: Bool = false
    ) {
        let transposed = PackedMatrix(rows: matrix.columns, columns: rows.count, over: factors.packedWeights)
        crew.run(over: transposed.pairCount, by: 32) { pairs, _ in
            transposed.packTransposed(matrix, from: rows.lowerBound, pairs: pairs)
        }
        crew.multiply(
            kernels, derivative.rows, stride: derivative.rowStride, rows: count, by: transposed, into: inputGradient,
            outStride: matrix.columns, accumulating: accumulating)
    }

    /// The derivative of weights, into the sums from `offset` on.
    func weightProduct(
        _ derivative: RoundedDerivative, outputs: Int, rows: Int, width: Int, at offset: Int, adding: Bool
    ) {
        guard let sums = target.weights else { return }
        crew.multiply(
            kernels, derivative.columns, stride: derivative.columnStride, rows: outputs,
            by: PackedMatrix(rows: width, columns: rows, over: factors.packedInputs), into: sums + offset,
            outStride: width, accumulating: adding)
    }

    private func addBiases(
        _ biases: [TensorSlice?], _ slices: [TensorSlice], _ derivative: RoundedDerivative, rows: Int
    ) {
        guard let sums = target.weights else { return }
        var column = 0
        for (bias, slice) in zip(biases, slices) {
            if let bias {
                let part = derivative.from(output: column)
                crew.run(over: slice.shape[0], by: 128) { outputs, _ in
                    TrainingKernels.addSums(part, rows: rows, outputs: outputs, to: sums + bias.offset)
                }
            }
            column += slice.shape[0]
        }
    }

    /// Joins slices that touch in the flat allocation, so that q, k and v are one product where no padding parts them.
    static func adjoining(_ slices: [TensorSlice]) -> [(column: Int, elements: Range<Int>)] {
        var column = 0
        return slices.reduce(into: []) { runs, slice in
            if let last = runs.last, last.elements.upperBound == slice.offset {
                runs[runs.count - 1].elements = last.elements.lowerBound..<slice.range.upperBound
            } else {
                runs.append((column, slice.range))
            }
            column += slice.shape[0]
        }
    }
}
