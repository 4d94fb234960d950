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

    /// Replays groups, several at a time.
    ///
    /// - Returns: one result for each request, in order.
    /// - Throws: `ReplayError` where a request cannot be replayed at all; that is a fault, never a verdict.
    public func replay(_ requests: [ReplayRequest]) throws(ReplayError) -> [ReplayResult] {
        for request in requests { try check(request) }
        var results: [ReplayResult] = []
        results.reserveCapacity(requests.count)
        var first = 0
        while first < requests.count {
            var last = first
            var pages = 0
            var rows = 0
            repeat {
                pages += ReplayLimits.pages(for: requests[last])
                rows += requests[last].completions.reduce(0) { $0 + $1.count }
                last += 1
            } while last < requests.count && rows < limits.rows
                && pages + ReplayLimits.pages(for: requests[last]) <= limits.pages
            results += try replayTogether(Array(requests[first..<last]))
            first = last
        }
        return results
    }

    /// Replays one group.
    public func replay(_ request: ReplayRequest) throws(ReplayError) -> ReplayResult {
        try replay([request])[0]
    }

    private func replayTogether(_ requests: [ReplayRequest]) throws(ReplayError) -> [ReplayResult] {
        do {
            let samples = requests.flatMap { request in
                request.completions.indices.map {
                    ReplayTask(request, completion: $0, weightsHash: weights.weightsHash)
                }
            }
            let batch = ReplayBatch(samples, hidden: weights.configuration.hiddenSize, chunking: chunking)
            try computeRows(requests, into: batch)
            let choosers = requests.map {
                TokenChooser(
                    kernels: kernels, vocabularySize: weights.configuration.vocabularySize, parameters: $0.parameters)
            }
            try batch.score(choosers, samplesPerGroup: requests.map(\.completions.count), logits)
            try batch.prove(pool)
            tokensReplayed += UInt64(batch.rowCount)
            var remaining = batch.results[...]
            return requests.map { request in
                defer { remaining = remaining.dropFirst(request.completions.count) }
                return ReplayResult(samples: Array(remaining.prefix(request.completions.count)))
            }
        } catch let error as ModelError {
            throw .model(error)
        } catch {
            throw .notFinite("\(error)")
        }
    }

    /// The hidden rows of every sampled token, sample after sample.
    private func computeRows(_ requests: [ReplayRequest], into batch: ReplayBatch) throws(ModelError) {
        var sequences: [SequenceHandle] = []
        defer { for sequence in sequences { cache.release(sequence) } }
        var prompts: [Segment] = []
        for request in requests {
            let sequence = cache.makeSequence()
            sequences.append(sequence)
            prompts.append(Segment(sequence, tokens: request.promptTokens))
        }
        let promptRows = try decoder.forward(prompts, cache: cache)
        var task = 0
        for (group, request) in requests.enumerated() {
            for _ in request.completions {
                batch.setFirstRow(ofTask: task, promptRows[group])
                task += 1
            }
        }
        var segments: [Segment] = []
        var segmentTasks: [Int] = []
        task = 0
        for (group, request) in requests.enumerated() {
            for completion in request.completions {
                // The last token predicts nothing that was sampled, so it is not fed.
                if completion.count > 1 {
                    let sequence = try cache.fork(sequences[group])
                    sequences.append(sequence)
                    let fed = completion.dropLast()
                    segments.append(Segment(sequence, tokens: fed, outputs: fed.count))
                    segmentTasks.append(task)
                }
                task += 1
            }
        }
        guard !segments.isEmpty else { return }
        let rows = try decoder.forward(segments, cache: cache)
        var row = 0
        for (segment, task) in zip(segments, segmentTasks) {
            batch.setFollowingRows(ofTask: task, rows.pointer + row * rows.width, count: segment.outputs)
            row += segment.outputs
        }
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
        let pages = ReplayLimits.pages(for: request)
        guard pages <= limits.pages else { throw .cacheTooSmall(pages: pages, available: limits.pages) }
    }
}
