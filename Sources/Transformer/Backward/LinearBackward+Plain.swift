import Tensors

/// Products of the backward pass in f32, by OpenBLAS.
extension LinearBackward {
    /// Columns of the input's derivative, and rows of the weights', that one product makes.
    private static let (columnBlock, rowBlock) = (512, 256)

    /// Backward of matrices that share an input: see ``run(_:packed:biases:output:input:into:)``.
    func runPlain(
        _ slices: [TensorSlice], packed matrix: PackedMatrix, biases: [TensorSlice?], output: Output,
        input: UnsafePointer<BFloat16Bits>, into inputGradient: UnsafeMutablePointer<Float>
    ) {
        let width = matrix.columns
        addBiases(biases, slices, output)
        setPlainInput(input, rows: output.rows, width: width)
        for run in Self.adjoining(slices) {
            let outputs = run.elements.count / width
            let part = Output(pointer: output.pointer + run.column, stride: output.stride, rows: output.rows)
            plainProduct(
                part, by: matrix, rows: run.column..<run.column + outputs, at: run.elements.lowerBound,
                into: inputGradient, accumulating: run.column > 0)
        }
        if case .adapter(let adapter) = target {
            let product = AdapterBackward.Product(
                rows: output.rows, input: input, form: .plain(output, input: factors.inputs.pointer), width: width)
            adapter.add(slices, product, crew, kernels)
        }
    }

    /// Takes the input that the next calls of ``plainProduct(_:by:rows:at:into:accumulating:)`` share.
    func setPlainInput(_ input: UnsafePointer<BFloat16Bits>, rows: Int, width: Int) {
        crew.run(over: rows * width, by: 1 << 16) { block, _ in
            TrainingKernels.widen(
                input + block.lowerBound, factors.inputs.pointer + block.lowerBound, count: block.count)
        }
    }

    /// Backward of some rows of a packed matrix.
    ///
    /// - Parameter offset: where the derivative of the first row lies in the flat allocation.
    func plainProduct(
        _ output: Output, by matrix: PackedMatrix, rows: Range<Int>, at offset: Int,
        into inputGradient: UnsafeMutablePointer<Float>, accumulating: Bool
    ) {
        let (outputs, width) = (rows.count, matrix.columns)
        let widened = factors.weights.pointer
        crew.run(over: outputs, by: PackedMatrix.panelWidth) { block, _ in
            matrix.unpack(
                rows.lowerBound + block.lowerBound..<rows.lowerBound + block.upperBound,
                into: factors.rows.pointer + block.lowerBound * width)
        }
        crew.run(over: outputs * width, by: 1 << 16) { block, _ in
            TrainingKernels.widen(
                factors.rows.pointer + block.lowerBound, widened + block.lowerBound, count: block.count)
        }
        crew.run(over: width, by: Self.columnBlock) { columns, _ in
            Blas.multiply(
                rows: output.rows, columns: columns.count, inner: outputs, left: output.pointer,
                leftStride: output.stride, right: widened + columns.lowerBound, rightStride: width,
                result: inputGradient + columns.lowerBound, resultStride: width, keep: accumulating ? 1 : 0)
        }
        guard let sums = target.weights else { return }
        crew.run(over: outputs, by: Self.rowBlock) { block, _ in
            Blas.multiply(
                rows: block.count, columns: width, inner: output.rows, left: output.pointer + block.lowerBound,
                leftStride: output.stride, .transposed, right: factors.inputs.pointer, rightStride: width,
                result: sums + offset + block.lowerBound * width, resultStride: width, keep: target.isAdding ? 1 : 0)
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
}
