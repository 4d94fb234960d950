import Tensors

/// One thread's memory for micro-batches: what the forward pass saves, and scratch for the backward pass.
///
/// Matrices are row-major with one row per input token. bf16 where the forward pass rounds, f32 elsewhere.
final class TrainingBuffers {
    /// What backward needs of one layer.
    struct Layer {
        /// The residual stream before the layer [rows, hidden].
        let input: Storage<Float>
        /// The first norm's output [rows, hidden].
        let normed: Storage<BFloat16Bits>
        /// q, k and v as projected [rows, queryWidth + 2 · keyValueWidth]; shared by all layers where no norm follows.
        let projected: Storage<Float>
        let query: Storage<BFloat16Bits>
        let key: Storage<BFloat16Bits>
        let value: Storage<BFloat16Bits>
        /// Attention's output before its projection [rows, queryWidth].
        let attended: Storage<BFloat16Bits>
        /// The residual stream between attention and the feed-forward block [rows, hidden].
        let middle: Storage<Float>
        /// The second norm's output [rows, hidden].
        let middleNormed: Storage<BFloat16Bits>
        /// Gate and up side by side [rows, 2 · inner].
        let gateUp: Storage<Float>
        /// The feed-forward block's inner values [rows, inner].
        let activated: Storage<BFloat16Bits>
    }

    let rows: Int
    let longest: Int
    let layers: [Layer]
    /// The residual stream after the last layer [rows, hidden].
    let output: Storage<Float>
    /// The last norm's output at rows that predict a target [rows, hidden], without gaps.
    let outputNormed: Storage<BFloat16Bits>
    let tokens: Storage<Int32>
    let positions: Storage<Int32>

    /// A block of rows of logits.
    let logits: Storage<Float>
    let logitRows: Int
    /// One layer's keys and values of one sequence in the decoder's layout.
    let pages: [Storage<BFloat16Bits>]
    let pageLayout: KeyValuePageLayout
    let attentionScratch: Storage<Float>

    /// The derivative of the residual stream [rows, hidden].
    let residual: Storage<Float>
    /// Derivatives that live within one operation.
    let wide: Storage<Float>
    let wider: Storage<Float>
    let narrow: Storage<Float>
    /// A matmul's input and its weights, widened.
    let inputs: Storage<Float>
    let weights: Storage<Float>
    /// A norm's weight, widened.
    let normWeight: Storage<Float>
    let attentionGradientScratch: Storage<Float>

    /// Ids per block where the output projection's gradient is formed; bounds the widened weights.
    static let vocabularyBlock = 4096
    /// Logits that are held at once; 8 MiB.
    static let logitBudget = 2 << 20

    init(_ configuration: ModelConfiguration, rows: Int, longest: Int) {
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        let queryWidth = configuration.queryWidth
        let keyValueWidth = configuration.keyValueWidth
        let projectedWidth = queryWidth + 2 * keyValueWidth
        let vocabulary = configuration.vocabularySize
        self.rows = rows
        self.longest = longest
        let shared = configuration.qkNorm ? nil : Storage<Float>(count: rows * projectedWidth, zeroed: false)
        func floats(_ width: Int) -> Storage<Float> { Storage(count: rows * width, zeroed: false) }
        func halves(_ width: Int) -> Storage<BFloat16Bits> { Storage(count: rows * width, zeroed: false) }
        layers = (0..<configuration.layers).map { _ in
            Layer(
                input: floats(hidden), normed: halves(hidden), projected: shared ?? floats(projectedWidth),
                query: halves(queryWidth), key: halves(keyValueWidth), value: halves(keyValueWidth),
                attended: halves(queryWidth), middle: floats(hidden), middleNormed: halves(hidden),
                gateUp: floats(2 * inner), activated: halves(inner))
        }
        output = floats(hidden)
        outputNormed = halves(hidden)
        tokens = Storage(count: rows)
        positions = Storage(count: rows)
        logitRows = max(1, min(rows, Self.logitBudget / vocabulary))
        logits = Storage(count: logitRows * vocabulary, zeroed: false)
        pageLayout = KeyValuePageLayout(
            layers: 1, keyValueHeads: configuration.keyValueHeads, headDimension: configuration.headDimension)
        let pageLength = pageLayout.elementCount
        pages = (0..<KeyValuePageLayout.pages(for: longest)).map { _ in Storage(count: pageLength) }
        attentionScratch = Storage(count: AttentionShape(configuration).scratchCount(positions: longest))
        residual = floats(hidden)
        wide = floats(max(2 * inner, projectedWidth))
        wider = floats(max(inner, queryWidth))
        narrow = floats(hidden)
        inputs = floats(max(hidden, inner, queryWidth))
        let largest = max(
            projectedWidth * hidden, 2 * inner * hidden, queryWidth * hidden,
            min(Self.vocabularyBlock, vocabulary) * hidden)
        weights = Storage(count: largest, zeroed: false)
        normWeight = Storage(count: max(hidden, configuration.headDimension))
        attentionGradientScratch = Storage(
            count: AttentionBackward.scratchCount(longest: longest, width: configuration.headDimension))
    }
}
