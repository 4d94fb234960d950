import Identity
import Proofs
import Sampling
import Tensors
import Transformer

/// Recomputes groups blindly, with one prefill for each prompt and one pass over all completions.
///
/// Nothing is decoded: every completion is known, so its rows are computed side by side, and several groups go into
/// one forward pass. The canonical arithmetic makes the rows equal to those of whoever generated.
///
/// Not safe for use from several threads at once. One replayer serves one version of the weights.
public final class Replayer {
    /// The weights that replay.
    public let weights: ModelWeights
    private let decoder: Decoder
    private let cache: KeyValueCache
    private let logits: LogitsPass
    private let kernels: Kernels
    private let pool: ComputePool
    private let chunking: Chunking
    private let limits: ReplayLimits

    /// Tokens replayed so far.
    public private(set) var tokensReplayed: UInt64 = 0

    /// A replayer whose memory `limits` bounds.
    public init(
        weights: ModelWeights, kernels: Kernels, pool: ComputePool, chunking: Chunking = .standard,
        limits: ReplayLimits
    ) {
        self.weights = weights
        self.kernels = kernels
        self.pool = pool
        self.chunking = chunking
        self.limits = limits
        decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        cache = KeyValueCache(weights.configuration, maximumPages: limits.pages)
        logits = LogitsPass(output: weights.output, kernels: kernels, pool: pool)
    }

    /// Some of the completions of one request.
    private struct Piece {
        let request: ReplayRequest
        let completions: Range<Int>
    }

    /// Replays groups, several at a time; one that is larger than the cache goes piece by piece, completions at a time.
    ///
    /// - Returns: one result for each request, in order.
    /// - Throws: `ReplayError` where a request cannot be replayed at all; that is a fault, never a verdict.
    public func replay(_ requests: [ReplayRequest]) throws(ReplayError) -> [ReplayResult] {
        for request in requests { try check(request) }
        var samples: [[ReplayedSample]] = requests.map { _ in [] }
        var together: [(place: Int, piece: Piece)] = []
        var pages = 0
        var rows = 0
        for (place, request) in requests.enumerated() {
            for piece in pieces(of: request) {
                let needed = ReplayLimits.pages(for: request, piece.completions)
                if !together.isEmpty, pages + needed > limits.pages || rows >= limits.rows {
                    try replay(together, into: &samples)
                    together = []
                    (pages, rows) = (0, 0)
                }
                together.append((place, piece))
                pages += needed
                rows += request.completions[piece.completions].reduce(0) { $0 + $1.count }
            }
        }
        if !together.isEmpty { try replay(together, into: &samples) }
        return samples.map(ReplayResult.init(samples:))
    }

    private func replay(
        _ together: [(place: Int, piece: Piece)], into samples: inout [[ReplayedSample]]
    ) throws(ReplayError) {
        for (item, result) in zip(together, try replayTogether(together.map(\.piece))) {
            samples[item.place] += result.samples
        }
    }

    /// The completions of a request, as many at a time as the cache has room for.
    private func pieces(of request: ReplayRequest) -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        for end in 1...request.completions.count {
            let isLast = end == request.completions.count
            guard isLast || ReplayLimits.pages(for: request, start..<(end + 1)) > limits.pages else { continue }
            pieces.append(Piece(request: request, completions: start..<end))
            start = end
        }
        return pieces
    }

    /// Replays one group.
    public func replay(_ request: ReplayRequest) throws(ReplayError) -> ReplayResult {
        try replay([request])[0]
    }

    private func replayTogether(_ pieces: [Piece]) throws(ReplayError) -> [ReplayResult] {
        do {
            let samples = pieces.flatMap { piece in
                piece.completions.map {
                    ReplayTask(piece.request, completion: $0, weightsHash: weights.weightsHash)
                }
            }
            let batch = ReplayBatch(samples, hidden: weights.configuration.hiddenSize, chunking: chunking)
            try compute(pieces, into: batch)
            try batch.prove(pool)
            tokensReplayed += UInt64(batch.rowCount)
            var remaining = batch.results[...]
            return pieces.map { piece in
                defer { remaining = remaining.dropFirst(piece.completions.count) }
                return ReplayResult(samples: Array(remaining.prefix(piece.completions.count)))
            }
        } catch let error as ModelError {
            throw .model(error)
        } catch {
            throw .notFinite("\(error)")
        }
    }

    /// The hidden rows of every sampled token, and the tokens that they dictate.
    private func compute(_ pieces: [Piece], into batch: ReplayBatch) throws {
        var sequences: [SequenceHandle] = []
        defer { for sequence in sequences { cache.release(sequence) } }
        var groups: [(tasks: Range<Int>, chooser: TokenChooser)] = []
        var prompts: [Segment] = []
        for piece in pieces {
            let sequence = cache.makeSequence()
            sequences.append(sequence)
            prompts.append(Segment(sequence, tokens: piece.request.promptTokens))
            let first = groups.last?.tasks.upperBound ?? 0
            let chooser = TokenChooser(
                kernels: kernels, vocabularySize: weights.configuration.vocabularySize,
                parameters: piece.request.parameters)
            groups.append((first..<first + piece.completions.count, chooser))
        }
        try batch.setFirstRows(decoder.forward(prompts, cache: cache).pointer, groups, logits)
        var segments: [Segment] = []
        for (group, piece) in pieces.enumerated() {
            // The last token predicts nothing that was sampled, so it is not fed.
            for completion in piece.request.completions[piece.completions] where completion.count > 1 {
                let sequence = try cache.fork(sequences[group])
                sequences.append(sequence)
                let fed = completion.dropLast()
                segments.append(Segment(sequence, tokens: fed, outputs: fed.count))
            }
        }
        guard !segments.isEmpty else { return }
        try batch.setFollowingRows(decoder.forward(segments, cache: cache).pointer, groups, logits)
    }

    private func check(_ request: ReplayRequest) throws(ReplayError) {
        let configuration = weights.configuration
        func known(_ token: Int32) -> Bool { token >= 0 && Int(token) < configuration.vocabularySize }
        guard !request.promptTokens.isEmpty, request.promptTokens.allSatisfy(known) else {
            throw .invalidRequest("the prompt is empty or holds an unknown token")
        }
        guard !request.completions.isEmpty else { throw .invalidRequest("there is no completion") }
        for (index, completion) in request.completions.enumerated() {
            guard !completion.isEmpty, completion.allSatisfy(known) else {
                throw .invalidRequest("completion \(index) is empty or holds an unknown token")
            }
            guard request.promptTokens.count + completion.count - 1 <= configuration.maxPositions else {
                throw .invalidRequest("completion \(index) exceeds the model's \(configuration.maxPositions) positions")
            }
        }
        do throws(SamplingError) {
            try request.parameters.validate(vocabularySize: configuration.vocabularySize, allowFilters: true)
        } catch {
            throw .invalidRequest(error.description)
        }
        let pages = request.completions.indices.reduce(0) { max($0, ReplayLimits.pages(for: request, $1..<($1 + 1))) }
        guard pages <= limits.pages else { throw .cacheTooSmall(pages: pages, available: limits.pages) }
    }
}
