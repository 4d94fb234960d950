import Tensors

/// The memory of one micro-batch: what the forward pass saves, and scratch for the backward pass.
///
/// The input of every layer is kept. The rest of a layer's activations is kept for as many of the last layers as fit
/// the plan; the layers before them share one set, which backward fills again.
final class TrainingBuffers {
    /// What a micro-batch needs room for.
    struct Size: Equatable {
        /// Rows, one per input token.
        var rows = 0
        /// Rows of the longest sequence.
        var longest = 0
        /// Pages of all sequences' keys and values.
        var pages = 0

        /// Whether memory for this size serves the other.
        func covers(_ other: Size) -> Bool {
            rows >= other.rows && longest >= other.longest && pages >= other.pages
        }

        /// The size that covers both.
        func union(_ other: Size) -> Size {
            Size(rows: max(rows, other.rows), longest: max(longest, other.longest), pages: max(pages, other.pages))
        }
    }

    let size: Size
    /// The residual stream before each layer, and after the last [rows, hidden].
    let residuals: [Storage<Float>]
    /// The activations of each layer; the layers below ``firstKept`` share theirs.
    let layers: [LayerActivations]
    /// The first layer whose activations nothing overwrites before backward has used them.
    let firstKept: Int
    /// The last norm's output at rows that predict a target [rows, hidden], without gaps.
    let outputNormed: Storage<BFloat16Bits>
    let tokens: Storage<Int32>
    let positions: Storage<Int32>

    /// The end of the pass: rows of logits, or what is kept of them.
    let output: OutputBuffers
    /// One layer's keys and values of all sequences in the decoder's layout, page after page.
    let pages: Storage<BFloat16Bits>
    let pageLayout: KeyValuePageLayout
    /// Scratch of attention, forward and backward, for each thread of the crew.
    let attention: AttentionBackward.Scratch

    /// The derivative of the residual stream [rows, hidden].
    let residual: Storage<Float>
    /// Derivatives that live within one operation.
    let wide: Storage<Float>
    let wider: Storage<Float>
    let narrow: Storage<Float>
    /// The factors of backward products.
    let factors: ProductFactors
    /// A norm's weight, widened, and the partial sums of its derivative.
    let normWeight: Storage<Float>
    let normPartials: Storage<Float>
    /// All of it in bytes.
    let byteCount: Int

    /// Rows in one block of a norm's derivative.
    static let normRows = 64

    init(
        _ configuration: ModelConfiguration, size: Size, plan: TrainingPlan, threads: Int, allocating: Bool = true
    ) {
        var memory = TrainingMemory(allocating: allocating)
        let rows = size.rows
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let projectedWidth = configuration.queryWidth + 2 * configuration.keyValueWidth
        self.size = size
        residuals = (0...configuration.layers).map { _ in memory.take(rows * hidden) }

        let shared: Storage<Float>? = configuration.qkNorm ? nil : memory.take(rows * projectedWidth)
        var counting = TrainingMemory(allocating: false)
        _ = LayerActivations(configuration, rows: rows, projected: shared, from: &counting)
        // The shared set still holds the layer below the kept ones when backward arrives there.
        let sets = max(1, min(configuration.layers, plan.activationBytes / max(1, counting.bytes)))
        let kept = (0..<sets).map { _ in
            LayerActivations(configuration, rows: rows, projected: shared, from: &memory)
        }
        let first = configuration.layers - sets
        layers = (0..<configuration.layers).map { kept[max(0, $0 - first)] }
        firstKept = first

        outputNormed = memory.take(rows * hidden)
        tokens = memory.take(rows, zeroed: true)
        positions = memory.take(rows, zeroed: true)
        output = OutputBuffers(
            vocabulary: configuration.vocabularySize, rows: rows, plan: plan, threads: threads, from: &memory)
        pageLayout = KeyValuePageLayout(
            layers: 1, keyValueHeads: configuration.keyValueHeads, headDimension: configuration.headDimension)
        pages = memory.take(size.pages * pageLayout.elementCount, zeroed: true)
        let width = configuration.headDimension
        let scratch = max(
            AttentionShape(configuration).scratchCount(positions: size.longest),
            AttentionBackward.scratchCount(longest: size.longest, width: width, precision: plan.precision))
        attention = AttentionBackward.Scratch(
            floats: (0..<threads).map { _ in memory.take(scratch) },
            operands: plan.precision == .float32
                ? []
                : (0..<threads).map { _ in .init(longest: size.longest, width: width, from: &memory) })
        residual = memory.take(rows * hidden)
        wide = memory.take(rows * max(plan.precision == .float32 ? 2 * inner : 0, projectedWidth))
        wider = memory.take(rows * max(inner, configuration.queryWidth))
        narrow = memory.take(rows * hidden)
        factors = ProductFactors(
            configuration, rows: rows, logitRows: output.rows, precision: plan.precision, from: &memory)
        let widest = max(hidden, configuration.headDimension)
        normWeight = memory.take(widest)
        normPartials = memory.take(plan.lanes == 0 ? (rows + Self.normRows - 1) / Self.normRows * widest : 0)
        byteCount = memory.bytes
    }
}
