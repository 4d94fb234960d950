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

    /// The matrices in the order of ``PanelLayout``.
    init(_ matrices: ArraySlice<PackedMatrix>, _ configuration: ModelConfiguration) {
        let first = matrices.startIndex
        queryKeyValue = matrices[first]
        attentionOutput = matrices[first + 1]
        gateUp = matrices[first + 2]
        down = matrices[first + 3]
        func bias(_ matrix: PackedMatrix, _ exists: Bool) -> Storage<Float>? {
            exists ? Storage(count: matrix.rows) : nil
        }
        queryKeyValueBias = bias(queryKeyValue, configuration.attentionBias)
        attentionOutputBias = bias(attentionOutput, configuration.attentionOutputBias)
        gateUpBias = bias(gateUp, configuration.mlpBias)
        downBias = bias(down, configuration.mlpBias)
    }

    /// Widens the biases, after the vectors have changed.
    func widenBiases(_ slices: LayerSlices, from vector: (TensorSlice) -> UnsafePointer<BFloat16Bits>) {
        let biases: [(Storage<Float>?, [TensorSlice?])] = [
            (queryKeyValueBias, [slices.queryBias, slices.keyBias, slices.valueBias]),
            (attentionOutputBias, [slices.outputBias]), (gateUpBias, [slices.gateBias, slices.upBias]),
            (downBias, [slices.downBias]),
        ]
        for (bias, parts) in biases {
            guard let bias else { continue }
            var row = 0
            for case let part? in parts {
                TrainingKernels.widen(vector(part), bias.pointer + row, count: part.count)
                row += part.count
            }
        }
    }
}
