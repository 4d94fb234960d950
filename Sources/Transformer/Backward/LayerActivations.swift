import Tensors

/// What a layer's backward pass needs of its forward pass, beside the layer's input.
///
/// Matrices are row-major with one row per input token: bf16 where the forward pass rounds, f32 elsewhere.
struct LayerActivations {
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

    /// Memory for `rows` rows of one layer.
    ///
    /// - Parameter projected: memory that several layers share, or nil for memory of its own.
    init(
        _ configuration: ModelConfiguration, rows: Int, projected shared: Storage<Float>?,
        from memory: inout TrainingMemory
    ) {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let (queryWidth, keyValueWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        normed = memory.take(rows * hidden)
        projected = shared ?? memory.take(rows * (queryWidth + 2 * keyValueWidth))
        query = memory.take(rows * queryWidth)
        key = memory.take(rows * keyValueWidth)
        value = memory.take(rows * keyValueWidth)
        attended = memory.take(rows * queryWidth)
        middle = memory.take(rows * hidden)
        middleNormed = memory.take(rows * hidden)
        gateUp = memory.take(rows * 2 * inner)
        activated = memory.take(rows * inner)
    }
}
