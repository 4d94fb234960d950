import Identity
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
/// Memory is bounded, and used: work starts by the pages that it will probably need. Where the guess was wrong, the
/// youngest samples give their pages back and later compute the positions of their tokens again, which gives the same
/// bits; the oldest work always goes on. One engine serves several versions of a model's weights with one cache: the
/// oldest version that has work takes the step, since its groups age. Not safe for use from several threads at once.
public final class GenerationEngine {
    /// What all groups have in common.
    public let context: GenerationContext
    /// What bounds the engine.
    public let limits: GenerationLimits

    let configuration: ModelConfiguration
    let cache: KeyValueCache
    let pool: ComputePool
    let kernels: Kernels
    /// The versions, oldest first.
    var lanes: [Lane] = []
    var lengths = CompletionLengths()
    private var knownGroups: Set<Hash256> = []

    /// Tokens sampled so far, those of unfinished and cancelled groups included.
    public internal(set) var tokensGenerated: UInt64 = 0
    /// Prompt tokens computed so far, each once.
    public internal(set) var promptTokensComputed: UInt64 = 0
    /// Positions computed again after a preemption.
    public internal(set) var positionsRecomputed: UInt64 = 0
    /// How often a sample or prompt gave its pages back to older work.
    public internal(set) var preemptions: UInt64 = 0

    /// An engine without work and without weights.
    public init(
        configuration: ModelConfiguration, kernels: Kernels, pool: ComputePool, context: GenerationContext,
        limits: GenerationLimits
    ) {
        self.configuration = configuration
        self.context = context
        self.limits = limits
        self.kernels = kernels
        self.pool = pool
        cache = KeyValueCache(configuration, maximumPages: limits.pages)
    }

    /// An engine without work, for one version of the weights: number 0.
    public convenience init(
        weights: ModelWeights, kernels: Kernels, pool: ComputePool, context: GenerationContext,
        limits: GenerationLimits
    ) {
        self.init(
            configuration: weights.configuration, kernels: kernels, pool: pool, context: context, limits: limits)
        lanes = [Lane(weights, version: 0, kernels: kernels, pool: pool)]
    }

    /// Takes the memory of `pages` pages of keys and values now, so that no step waits for the system to find it.
    public func prepare(pages: Int) { cache.prepare(pages: pages) }

    // MARK: - Versions

    /// The versions that are loaded, oldest first.
    public var versions: [UInt64] { lanes.map(\.version) }

    /// The weights of a version that is loaded.
    public func weights(of version: UInt64) -> ModelWeights? { lane(version)?.weights }

    /// Takes in a version of the weights, between steps.
    ///
    /// - Throws: `GenerationError.unusableVersion` for a number that is taken, or a model of another shape.
    public func adopt(_ weights: ModelWeights, version: UInt64) throws(GenerationError) {
        guard weights.configuration == configuration else {
            throw .unusableVersion(version, "its model has another shape than the one before")
        }
        guard lane(version) == nil else { throw .unusableVersion(version, "it is loaded already") }
        let lane = Lane(weights, version: version, kernels: kernels, pool: pool)
        lanes.insert(lane, at: lanes.firstIndex { $0.version > version } ?? lanes.endIndex)
    }

    /// Lets go of a version that has no work.
    ///
    /// - Returns: its weights, or nil where there was nothing to let go of.
    @discardableResult
    public func retire(_ version: UInt64) -> ModelWeights? {
        guard let index = lanes.firstIndex(where: { $0.version == version && $0.isIdle }) else { return nil }
        return lanes.remove(at: index).weights
    }

    // MARK: - Work

    /// Whether nothing is left to do.
    public var isIdle: Bool { lanes.allSatisfy(\.isIdle) }
    /// Groups that have been added and not handed on.
    public var pendingGroups: Int { lanes.reduce(0) { $0 + $1.groups } }
    /// Samples that hold a sequence at the moment.
    public var activeSequences: Int {
        lanes.reduce(0) { $0 + $1.active.count { $0.sample != nil } }
    }
    /// Tokens sampled for a group so far, or nil if the engine does not have it.
    public func tokensGenerated(in groupID: Hash256) -> Int? {
        guard knownGroups.contains(groupID) else { return nil }
        for lane in lanes {
            if let group = lane.running.first(where: { $0.request.groupID == groupID }) {
                return group.samples.reduce(0) { $0 + $1.tokens.count }
            }
        }
        return 0
    }

    /// Adds a group behind those of its version that wait.
    ///
    /// - Throws: `GenerationError`, after which the engine is as it was.
    public func add(_ request: GroupRequest, version: UInt64 = 0) throws(GenerationError) {
        guard let lane = lane(version) else { throw .unusableVersion(version, "it is not loaded") }
        try check(request)
        guard lane.waiting.count < limits.waitingGroups else { throw .tooManyWaiting(lane.waiting.count) }
        guard knownGroups.insert(request.groupID).inserted else { throw .duplicateGroup(request.groupID) }
        lane.waiting.append(request)
    }

    /// Drops a group and frees what it holds.
    ///
    /// - Returns: whether the engine had it.
    @discardableResult
    public func cancel(_ groupID: Hash256) -> Bool {
        guard knownGroups.remove(groupID) != nil else { return false }
        for lane in lanes {
            lane.waiting.removeAll { $0.groupID == groupID }
            lane.pending.removeAll { $0.group.request.groupID == groupID }
            lane.active.removeAll { item in
                guard item.group.request.groupID == groupID else { return false }
                if let sequence = item.sequence { cache.release(sequence) }
                return true
            }
            lane.running.removeAll { group in
                guard group.request.groupID == groupID else { return false }
                releasePrompt(of: group)
                return true
            }
        }
        return true
    }

    /// Drops every group.
    public func cancelAll() {
        for group in knownGroups { cancel(group) }
    }

    /// Takes finished groups out, oldest first.
    func takeFinished(_ lane: Lane) -> [GroupResult] {
        var finished: [GroupResult] = []
        lane.running.removeAll { group in
            guard group.unfinished == 0 else { return false }
            knownGroups.remove(group.request.groupID)
            finished.append(group.result(version: lane.version))
            return true
        }
        return finished
    }

    func lane(_ version: UInt64) -> Lane? { lanes.first { $0.version == version } }

    private func check(_ request: GroupRequest) throws(GenerationError) {
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
        let pages = KeyValuePageLayout.pages(for: positions)
        guard pages <= limits.pages else { throw .cacheTooSmall(pages: pages, available: limits.pages) }
    }
}
