import Tensors

/// The memory of a forward pass over at most ``rows`` rows at a time, allocated once.
struct Workspace {
    /// The rows of one chunk: one row block of the kernels' products, small enough to stay in the caches.
    static let rows = 192

    /// Absolute positions and token ids.
    let positions = Storage<Int32>(count: rows)
    let tokens = Storage<Int32>(count: rows)
    /// The residual stream, f32 [rows, hidden].
    let residual: Storage<Float>
    /// A norm's output, bf16 [rows, hidden].
    let normed: Storage<BFloat16Bits>
    /// q, k and v side by side, or gate and up, f32 [rows, projectedWidth].
    let projected: Storage<Float>
    let projectedWidth: Int
    /// Rotated queries, bf16 [rows, queryWidth].
    let queries: Storage<BFloat16Bits>
    /// Rotated keys and rounded values, bf16 [rows, keyValueWidth].
    let keys: Storage<BFloat16Bits>
    let values: Storage<BFloat16Bits>
    /// Attention's output, bf16 [rows, queryWidth].
    let attended: Storage<BFloat16Bits>
    /// The feed-forward block's inner activations, bf16 [rows, inner].
    let activated: Storage<BFloat16Bits>
    /// One flag per row and key/value head: whether what was computed of it for the unit that starts there was finite.
    let finite: Storage<UInt8>

    /// The size of a workspace in bytes.
    static func byteCount(_ configuration: ModelConfiguration) -> Int {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let narrow = hidden + 2 * configuration.queryWidth + 2 * configuration.keyValueWidth + inner
        return rows * (4 * (hidden + projectedWidth(configuration)) + 2 * narrow)
    }

    private static func projectedWidth(_ configuration: ModelConfiguration) -> Int {
        max(configuration.queryWidth + 2 * configuration.keyValueWidth, 2 * configuration.intermediateSize)
    }

    init(_ configuration: ModelConfiguration) {
        projectedWidth = Self.projectedWidth(configuration)
        residual = Storage(count: Self.rows * configuration.hiddenSize)
        normed = Storage(count: Self.rows * configuration.hiddenSize)
        projected = Storage(count: Self.rows * projectedWidth)
        queries = Storage(count: Self.rows * configuration.queryWidth)
        keys = Storage(count: Self.rows * configuration.keyValueWidth)
        values = Storage(count: Self.rows * configuration.keyValueWidth)
        attended = Storage(count: Self.rows * configuration.queryWidth)
        activated = Storage(count: Self.rows * configuration.intermediateSize)
        finite = Storage(count: Self.rows * configuration.keyValueHeads)
    }
}
