import Identity
import Proofs
import Sampling
import Tensors
import Transformer

/// Generates groups of samples by continuous batching: sequences join and leave at every step.
///
/// A group's prompt is computed once and its pages are shared by its samples; every sample that is decoding gets one
/// token per step; a finished group is handed on by the step that finishes it. Which groups run together changes no
/// bit of any of them.
///
/// ```swift
/// let engine = GenerationEngine(weights: weights, kernels: kernels, pool: pool, context: context, limits: limits)
/// try engine.add(request)
/// while !engine.isIdle { for group in try engine.step() { submit(group) } }
/// ```
///
/// Memory is bounded: a sample starts only when a sequence and its worst case of pages are free. Not safe for use from
/// several threads at once. One engine serves one version of the weights.
public final class GenerationEngine {
    /// The weights that generate.
    public let weights: ModelWeights
    /// What all groups have in common.
    public let context: GenerationContext
    /// What bounds the engine.
    public let limits: GenerationLimits

    let decoder: Decoder
    let cache: KeyValueCache
    let logits: LogitsPass
    let pool: ComputePool
    let kernels: Kernels

    /// Groups that have not begun, oldest first.
    var waiting: [GroupRequest] = []
    /// Groups that have begun, oldest first.
    var running: [GroupState] = []
    /// Samples that decode, each holding a sequence.
    var decoding: [Decoding] = []
    /// Pages promised to prompts and samples that run.
    var reservedPages = 0
    private var knownGroups: Set<Hash256> = []

    /// The weights hash that noise is drawn for: the true one, unless a test plays a worker that lies about it.
    var noiseWeightsHash: Hash256

    /// Tokens sampled so far, those of unfinished and cancelled groups included.
    public internal(set) var tokensGenerated: UInt64 = 0
    /// Prompt tokens computed so far.
    public internal(set) var promptTokensComputed: UInt64 = 0

    /// A sample that decodes, with its group.
    struct Decoding {
        let group: GroupState
        let sample: SampleState
    }

    /// An engine without work.
    public init(
        weights: ModelWeights, kernels: Kernels, pool: ComputePool, context: GenerationContext,
        limits: GenerationLimits
    ) {
        self.weights = weights
        self.context = context
        noiseWeightsHash = weights.weightsHash
        self.limits = limits
        self.kernels = kernels
        self.pool = pool
        decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        cache = KeyValueCache(weights.configuration, maximumPages: limits.pages)
        logits = LogitsPass(output: weights.output, kernels: kernels, pool: pool)
    }

    /// Whether nothing is left to do.
    public var isIdle: Bool { waiting.isEmpty && running.isEmpty }
    /// Groups that have been added and not handed on.
    public var pendingGroups: Int { waiting.count + running.count }
    /// Samples that decode at the moment.
    public var activeSequences: Int { decoding.count }
    /// Tokens sampled for a group so far, or nil if the engine does not have it.
    public func tokensGenerated(in groupID: Hash256) -> Int? {
        guard knownGroups.contains(groupID) else { return nil }
        let group = running.first { $0.request.groupID == groupID }
        return group?.samples.reduce(0) { $0 + $1.tokens.count } ?? 0
    }

    /// Adds a group behind those that wait.
    ///
    /// - Throws: `GenerationError`, after which the engine is as it was.
    public func add(_ request: GroupRequest) throws(GenerationError) {
        try check(request)
        guard waiting.count < limits.waitingGroups else { throw .tooManyWaiting(waiting.count) }
        guard knownGroups.insert(request.groupID).inserted else { throw .duplicateGroup(request.groupID) }
        waiting.append(request)
    }

    /// Drops a group and frees what it holds.
    ///
    /// - Returns: whether the engine had it.
    @discardableResult
    public func cancel(_ groupID: Hash256) -> Bool {
        guard knownGroups.remove(groupID) != nil else { return false }
        waiting.removeAll { $0.groupID == groupID }
        decoding.removeAll { item in
            guard item.group.request.groupID == groupID else { return false }
            releaseSequence(of: item)
            return true
        }
        running.removeAll { group in
            guard group.request.groupID == groupID else { return false }
            forget(group)
            return true
        }
        return true
    }

    /// Drops every group.
    public func cancelAll() {
        for group in knownGroups { cancel(group) }
    }

    /// Takes finished groups out, oldest first.
    func takeFinished() -> [GroupResult] {
        var finished: [GroupResult] = []
        running.removeAll { group in
            guard group.unfinished == 0 else { return false }
            forget(group)
            finished.append(group.result)
            return true
        }
        return finished
    }

    /// Frees the sequence and the promise of a sample that decodes no more.
    func releaseSequence(of item: Decoding) {
        guard let sequence = item.sample.sequence else { return }
        cache.release(sequence)
        item.sample.sequence = nil
        reservedPages -= item.group.samplePages
    }

    /// Frees the prompt's own sequence; full pages stay with the samples that share them, and so does their promise.
    func releasePrompt(of group: GroupState) {
        guard let prompt = group.prompt else { return }
        cache.release(prompt)
        group.prompt = nil
    }

    private func forget(_ group: GroupState) {
        releasePrompt(of: group)
        reservedPages -= group.promptPages
        knownGroups.remove(group.request.groupID)
    }

    private func check(_ request: GroupRequest) throws(GenerationError) {
        let configuration = weights.configuration
        do throws(SamplingError) {
            try request.parameters.validate(
                vocabularySize: configuration.vocabularySize, allowFilters: context.allowsFilters)
        } catch {
            throw .sampling(error)
        }
        guard !request.promptTokens.isEmpty else { throw .invalidPrompt("it is empty") }
        for token in request.promptTokens where token < 0 || Int(token) >= configuration.vocabularySize {
            throw .invalidPrompt("token \(token) lies outside the vocabulary of \(configuration.vocabularySize)")
        }
        let positions = request.promptTokens.count + request.parameters.maximumTokens - 1
        guard positions <= configuration.maxPositions else {
            throw .invalidPrompt(
                "\(request.promptTokens.count) prompt tokens and max_tokens \(request.parameters.maximumTokens) "
                    + "exceed the model's \(configuration.maxPositions) positions")
        }
        let pages =
            KeyValuePageLayout.pages(for: request.promptTokens.count) + GroupState.samplePages(request)
        guard pages <= limits.pages else { throw .cacheTooSmall(pages: pages, available: limits.pages) }
    }
}
