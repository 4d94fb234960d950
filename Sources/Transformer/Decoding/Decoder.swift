import Tensors

/// Computes forward passes over any mix of sequences under the canonical arithmetic.
///
/// A token's hidden row depends on the weights and on the tokens before it, and on nothing else: not on what else is in the
/// pass, on how a prompt is cut into chunks, on shared pages, threads or the kernel row. Prefill and decode are the same
/// call, and so are generating and replaying.
///
/// ```swift
/// let sequence = cache.makeSequence()
/// let rows = try decoder.forward([Segment(sequence, tokens: prompt)], cache: cache)
/// let logits = decoder.logits(rows)
/// ```
///
/// Not safe for use from several threads at once: it owns the workspace of the pass.
public final class Decoder {
    /// The weights in use.
    public let weights: ModelWeights
    /// The kernel row in use.
    public let kernels: Kernels
    /// The threads in use.
    public let pool: ComputePool

    let configuration: ModelConfiguration
    let layers: [LayerPlan]
    let finalNorm: UnsafePointer<BFloat16Bits>
    /// The shape without any window, which needs the most scratch.
    let attentionShape: AttentionShape
    let pageLayout: KeyValuePageLayout
    let workspace: Workspace
    var plan = ForwardPlan()
    var hidden: Storage<BFloat16Bits>
    var attentionScratch: [Storage<Float>] = []
    var logitsScratch: [Storage<Float>] = []
    var activationScratch: [Storage<Float>] = []

    /// Below this many matrix weights a layer is so little work that threads take whole sequences, not parts of a product.
    private static let wideLayerParameters = 1 << 20

    /// Prepares a decoder; its memory is a few hundred rows of activations.
    public init(weights: ModelWeights, kernels: Kernels, pool: ComputePool) {
        self.weights = weights
        self.kernels = kernels
        self.pool = pool
        configuration = weights.configuration
        layers = (0..<configuration.layers).map { LayerPlan(weights, layer: $0) }
        finalNorm = weights[weights.layout.finalNorm]
        attentionShape = AttentionShape(configuration)
        pageLayout = KeyValuePageLayout(
            layers: configuration.layers, keyValueHeads: configuration.keyValueHeads,
            headDimension: configuration.headDimension)
        workspace = Workspace(configuration)
        hidden = Storage(count: Workspace.rows * configuration.hiddenSize)
    }

    /// Appends tokens to sequences and returns the hidden rows that were asked for.
    ///
    /// - Parameters:
    ///   - segments: the tokens; a sequence may stand in one segment only.
    ///   - cache: the cache that the sequences live in, made for the same model.
    /// - Returns: rows in the order of the segments, good until the next call.
    /// - Throws: `ModelError`: `invalidRequest` or `cacheFull` before anything was changed; `notFinite` when a value
    ///   overflowed, after which the sequences of the call must be released.
    public func forward(_ segments: [Segment], cache: KeyValueCache) throws(ModelError) -> HiddenRows {
        precondition(cache.layout == pageLayout, "the cache was made for another model")
        let outputs = try check(segments, cache)
        if hidden.count < outputs * configuration.hiddenSize {
            hidden = Storage(count: 2 * outputs * configuration.hiddenSize)
        }
        var cursor = Cursor()
        while cursor.segment < segments.count {
            fillChunk(segments, cache, &cursor)
            try runChunk()
        }
        return HiddenRows(storage: hidden, count: outputs, width: configuration.hiddenSize)
    }

    /// Checks a request as a whole, so that a refusal changes nothing; returns the number of rows asked for.
    private func check(_ segments: [Segment], _ cache: KeyValueCache) throws(ModelError) -> Int {
        var outputs = 0
        var pages = 0
        let pass = cache.beginPass()
        for segment in segments {
            guard cache.enter(segment.sequence, pass: pass) else {
                throw invalid("a sequence stands in two segments")
            }
            guard !segment.tokens.isEmpty, segment.outputs >= 0, segment.outputs <= segment.tokens.count else {
                throw invalid("\(segment.outputs) rows of \(segment.tokens.count) tokens are asked for")
            }
            for token in segment.tokens where token < 0 || Int(token) >= configuration.vocabularySize {
                throw invalid("token \(token) is outside the vocabulary of \(configuration.vocabularySize)")
            }
            let end = cache.length(of: segment.sequence) + segment.tokens.count
            guard end <= configuration.maxPositions else {
                throw invalid("position \(end) is beyond the model's \(configuration.maxPositions)")
            }
            outputs += segment.outputs
            pages += cache.pagesNeeded(segment.sequence, appending: segment.tokens.count)
        }
        try cache.require(pages)
        return outputs
    }

    private func invalid(_ detail: String) -> ModelError {
        ModelError(.invalidRequest, place: "forward pass", detail)
    }

    /// How far a forward pass has come.
    private struct Cursor {
        var segment = 0
        var token = 0
        var output = 0
    }

    /// Plans the next rows, at most ``Workspace/rows``, and copies their tokens and positions.
    private func fillChunk(_ segments: [Segment], _ cache: KeyValueCache, _ cursor: inout Cursor) {
        let start = cursor
        let splitsSequences = configuration.matrixParametersPerLayer >= Self.wideLayerParameters
        fill(segments, cache, &cursor, splitting: splitsSequences)
        // One long prompt leaves nothing to share out by sequence; then its products are shared.
        if !splitsSequences, pool.threads > 1, plan.largestUnit > Workspace.rows / 4,
            2 * plan.largestUnit > plan.rowCount
        {
            cursor = start
            fill(segments, cache, &cursor, splitting: true)
        }
    }

    private func fill(
        _ segments: [Segment], _ cache: KeyValueCache, _ cursor: inout Cursor, splitting: Bool
    ) {
        plan.removeAll()
        isWide = splitting
        let unitRows = unitRows(segments, from: cursor.segment, splitting: splitting)
        while cursor.segment < segments.count, plan.rowCount < Workspace.rows {
            let segment = segments[cursor.segment]
            let count = min(segment.tokens.count - cursor.token, Workspace.rows - plan.rowCount)
            let table = cache.reserve(segment.sequence, appending: segment.tokens.count - cursor.token)
            let position = table.length
            let firstToken = segment.tokens.startIndex + cursor.token
            for index in 0..<count {
                workspace.tokens.pointer[plan.rowCount + index] = segment.tokens[firstToken + index]
                workspace.positions.pointer[plan.rowCount + index] = Int32(position + index)
            }
            let firstOutput = segment.tokens.count - segment.outputs
            let wanted = max(0, firstOutput - cursor.token)
            plan.append(
                table, count: count, position: position, outputs: (min(wanted, count)..<count, cursor.output),
                unitRows: unitRows, splitting: splitting)
            cursor.output += max(0, count - wanted)
            cursor.token += count
            if cursor.token == segment.tokens.count {
                cursor.segment += 1
                cursor.token = 0
            }
        }
        plan.closeUnit()
    }

    /// Whether the pool works inside each operation rather than on a share of the sequences each.
    private(set) var isWide = false

    private func unitRows(_ segments: [Segment], from first: Int, splitting: Bool) -> Int {
        var rows = 0
        for segment in segments[first...] {
            rows += segment.tokens.count
            if rows >= Workspace.rows { break }
        }
        rows = min(rows, Workspace.rows)
        if pool.threads == 1 { return rows }
        // Several units per thread, because a neighbour may keep one of the cores busy; tiles have eight rows.
        if splitting { return min(32, max(8, (rows + 4 * pool.threads - 1) / (4 * pool.threads))) }
        return max(16, (rows + 16 * pool.threads - 1) / (16 * pool.threads) * 8)
    }
}
