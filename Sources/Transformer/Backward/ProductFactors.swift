import Tensors

/// Memory for the factors of one backward product at a time, in the form that its precision asks for.
struct ProductFactors {
    let precision: TrainingPlan.Precision

    /// The output's derivative, rounded [rows, outputs].
    private let rounded: Storage<BFloat16Bits>
    /// The same with a row per output [outputs, rows].
    private let transposed: Storage<BFloat16Bits>
    /// The weights, packed so that outputs are summed over.
    let packedWeights: Storage<BFloat16Bits>
    /// The inputs, packed so that rows are summed over.
    let packedInputs: Storage<BFloat16Bits>

    /// The weights as they were before packing [outputs, width].
    let rows: Storage<BFloat16Bits>
    /// The inputs, widened [rows, width].
    let inputs: Storage<Float>
    /// The weights, widened [outputs, width].
    let weights: Storage<Float>

    /// Ids per block where the output projection's derivative is formed: a block of rule 8.
    static let vocabularyBlock = VocabularyBlock.size

    init(
        _ configuration: ModelConfiguration, rows: Int, logitRows: Int, precision: TrainingPlan.Precision,
        from memory: inout TrainingMemory
    ) {
        self.precision = precision
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let queryWidth = configuration.queryWidth
        let products = [
            Product(rows: rows, outputs: queryWidth + 2 * configuration.keyValueWidth, width: hidden),
            Product(rows: rows, outputs: hidden, width: queryWidth),
            Product(rows: rows, outputs: 2 * inner, width: hidden),
            Product(rows: rows, outputs: hidden, width: inner),
            Product(
                rows: logitRows, outputs: min(Self.vocabularyBlock, configuration.vocabularySize), width: hidden),
        ]
        func most(_ needing: TrainingPlan.Precision, _ count: (Product) -> Int) -> Int {
            precision == needing ? products.map(count).max() ?? 0 : 0
        }
        rounded = memory.take(most(.bfloat16) { $0.rows * $0.outputs })
        transposed = memory.take(most(.bfloat16) { Self.columnStride($0.rows) * $0.outputs })
        packedWeights = memory.take(
            most(.bfloat16) { PackedMatrix.elementCount(rows: $0.width, columns: $0.outputs) })
        packedInputs = memory.take(most(.bfloat16) { PackedMatrix.elementCount(rows: $0.width, columns: $0.rows) })
        self.rows = memory.take(most(.float32) { $0.outputs * $0.width })
        inputs = memory.take(most(.float32) { $0.rows * $0.width })
        weights = memory.take(most(.float32) { $0.outputs * $0.width })
    }

    /// The place of the output's derivative.
    func derivative(outputs: Int, rows: Int) -> RoundedDerivative {
        RoundedDerivative(
            rows: rounded.pointer, rowStride: outputs, columns: transposed.pointer,
            columnStride: Self.columnStride(rows))
    }

    private static func columnStride(_ rows: Int) -> Int {
        (rows + RoundedDerivative.block - 1) / RoundedDerivative.block * RoundedDerivative.block
    }

    private struct Product {
        let rows: Int
        let outputs: Int
        let width: Int
    }
}
