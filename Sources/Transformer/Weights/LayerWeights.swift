import Tensors

/// The packed matrices of one layer, with their biases widened; matrices that share an input are one product.
public struct LayerWeights: Sendable {
    /// q, k and v below each other [queryWidth + 2 × keyValueWidth, hidden].
    public let queryKeyValue: PackedMatrix
    /// The projection back to the residual stream [hidden, queryWidth].
    public let attentionOutput: PackedMatrix
    /// Gate and up below each other [2 × inner, hidden].
    public let gateUp: PackedMatrix
    /// The down projection [hidden, inner].
    public let down: PackedMatrix
    /// What is added to each product, one number per row of the matrix; nil where the model has no bias there.
    public let queryKeyValueBias: Storage<Float>?
    /// See ``queryKeyValueBias``.
    public let attentionOutputBias: Storage<Float>?
    /// See ``queryKeyValueBias``.
    public let gateUpBias: Storage<Float>?
    /// See ``queryKeyValueBias``.
    public let downBias: Storage<Float>?

    init(_ configuration: ModelConfiguration) {
        let hidden = configuration.hiddenSize
        queryKeyValue = PackedMatrix(
            rows: configuration.queryWidth + 2 * configuration.keyValueWidth, columns: hidden)
        attentionOutput = PackedMatrix(rows: hidden, columns: configuration.queryWidth)
        gateUp = PackedMatrix(rows: 2 * configuration.intermediateSize, columns: hidden)
        down = PackedMatrix(rows: hidden, columns: configuration.intermediateSize)
        func bias(_ matrix: PackedMatrix, _ exists: Bool) -> Storage<Float>? {
            exists ? Storage(count: matrix.rows) : nil
        }
        queryKeyValueBias = bias(queryKeyValue, configuration.attentionBias)
        attentionOutputBias = bias(attentionOutput, configuration.attentionOutputBias)
        gateUpBias = bias(gateUp, configuration.mlpBias)
        downBias = bias(down, configuration.mlpBias)
    }

    func pack(_ slices: LayerSlices, _ kernels: Kernels, from tensor: (TensorSlice) -> UnsafePointer<BFloat16Bits>) {
        let plan: [(PackedMatrix, [TensorSlice])] = [
            (queryKeyValue, [slices.query, slices.key, slices.value]), (attentionOutput, [slices.output]),
            (gateUp, [slices.gate, slices.up]), (down, [slices.down]),
        ]
        for (matrix, parts) in plan {
            var row = 0
            for part in parts {
                matrix.pack(tensor(part), rows: part.shape[0], at: row)
                row += part.shape[0]
            }
        }
        let biases: [(Storage<Float>?, [TensorSlice?])] = [
            (queryKeyValueBias, [slices.queryBias, slices.keyBias, slices.valueBias]),
            (attentionOutputBias, [slices.outputBias]), (gateUpBias, [slices.gateBias, slices.upBias]),
            (downBias, [slices.downBias]),
        ]
        for (bias, parts) in biases {
            guard let bias else { continue }
            var row = 0
            for case let part? in parts {
                kernels.widen(tensor(part), into: bias.pointer + row, count: part.count)
                row += part.count
            }
        }
    }
}
