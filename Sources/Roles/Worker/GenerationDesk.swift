import Generation
import Identity
import Logging
import Orchestration
import Tensors
import Transformer

/// A worker's arithmetic, on a thread of its own: one engine for all policy versions that are in use.
///
/// Versions are made ready beside generation, on another thread, and adopted between steps: weights in memory are changed
/// into the next ones where differences lead there, and files are read where they do not.
actor GenerationDesk: GroupEngine {
    /// A finished group and its share of the computing time.
    struct Finished: Sendable {
        let group: GroupResult
        let seconds: Double
    }

    /// What has to be known of a version to load it.
    private struct Source {
        let version: PolicyVersion
        let policy: PolicySource
    }

    private struct Waiter {
        let request: GroupRequest
        let continuation: CheckedContinuation<Void, any Error>
    }

    /// A step of a small model takes less time than to ask for the next.
    private static let turn = Duration.milliseconds(5)

    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    private let pool: ComputePool
    private let context: GenerationContext
    private let capacity: GenerationCapacity
    private let loader: WeightLoader
    private let retired = RetiredWeights()
    private let log: Logger
    private let clock = ContinuousClock()

    private(set) var engine: GenerationEngine?
    private var shelf = VersionShelf(capacity: 1)
    private var sources: [UInt64: Source] = [:]
    /// The versions in memory.
    private var held: [UInt64: PolicyVersion] = [:]
    /// The version of every group that is here.
    private var owners: [Hash256: UInt64] = [:]
    private var waiters: [UInt64: [Waiter]] = [:]
    /// Why this machine cannot work at all.
    private var refusal: RoleFailure?
    /// Computing time that no finished group has taken its share of yet.
    private var unclaimedSeconds = 0.0
    private var pauses = PauseMeter()

    init(
        kernels: Kernels, threads: Int, context: GenerationContext, capacity: GenerationCapacity,
        tampering: WeightTampering?, log: Logger
    ) {
        self.kernels = kernels
        self.context = context
        self.capacity = capacity
        self.log = log
        loader = WeightLoader(kernels: kernels, tampering: tampering, retired: retired)
        pool = ComputePool(threads: threads)
        executor = ComputeExecutor(name: "generation")
    }

    deinit { executor.stop() }

    // MARK: - Groups

    /// Takes in a group, and returns when its version is loaded and it is the engine's.
    ///
    /// - Throws: A ``RoleFailure`` when the files hold other weights than the lease names, `GenerationError`, or
    ///   `CancellationError` where the group was cancelled meanwhile.
    func add(_ request: GroupRequest, version: PolicyVersion, _ source: PolicySource) async throws {
        guard owners[request.groupID] == nil else { throw GenerationError.duplicateGroup(request.groupID) }
        let number = version.number
        owners[request.groupID] = number
        shelf.take(number)
        if shelf.loaded.contains(number) { return try enter(request, number) }
        remember(version, source)
        pauses.beginWaiting(clock.now)
        try await withCheckedThrowingContinuation { continuation in
            waiters[number, default: []].append(Waiter(request: request, continuation: continuation))
            tidy()
        }
    }

    /// Drops a group, wherever it is.
    func cancel(_ group: Hash256) {
        guard let version = owners[group] else { return }
        if let index = waiters[version]?.firstIndex(where: { $0.request.groupID == group }) {
            waiters[version]?.remove(at: index).continuation.resume(throwing: CancellationError())
        }
        _ = engine?.cancel(group)
        forget(group)
        tidy()
    }

    private func enter(_ request: GroupRequest, _ version: UInt64) throws {
        do throws(GenerationError) {
            try engine?.add(request, version: version)
        } catch {
            forget(request.groupID)
            throw error
        }
    }

    private func forget(_ group: Hash256) {
        if let version = owners.removeValue(forKey: group) { shelf.finish(version) }
    }

    // MARK: - Versions

    /// Loads a version ahead of its first group, when there is room.
    func announce(_ version: PolicyVersion, _ source: PolicySource) {
        remember(version, source)
        shelf.announce(version.number)
        tidy()
    }

    /// Keeps differences that are known already: who comes later may find the version on its way and bring none.
    private func remember(_ version: PolicyVersion, _ source: PolicySource) {
        if sources[version.number]?.version == version, source.differences.isEmpty { return }
        sources[version.number] = Source(version: version, policy: source)
    }

    /// The newest version that differences may start from: in memory, or on its way there.
    var newest: PolicyVersion? {
        let loading = shelf.loading.flatMap { sources[$0]?.version }
        return (held.values + [loading].compactMap(\.self)).max { $0.number < $1.number }
    }

    /// What the newest change of versions took.
    var adoption: Adoption? { pauses.newest }

    /// The versions in memory, the one that is being loaded included.
    var versionsInMemory: Int { (engine?.versions.count ?? 0) + (shelf.loading == nil ? 0 : 1) }

    private func tidy() {
        var isDropping = false
        while let move = shelf.nextMove() {
            switch move {
            case .load(let version): Task { await load(version) }
            case .drop(let version):
                engine?.retire(version).map(retired.leave)
                held[version] = nil
                isDropping = true
            }
        }
        // Whoever loads finds what is retired, and may make the next version of it.
        if isDropping, shelf.loading == nil { Task { [loader] in await loader.discardRetired() } }
    }

    private func load(_ version: UInt64) async {
        do {
            guard let source = sources[version] else {
                throw RoleFailure(.fault, "Nobody knows where version \(version) lies.")
            }
            let began = clock.now
            let revised = await revisedWeights(source)
            let weights: ModelWeights
            if let revised { weights = revised } else { weights = try await loadedWeights(source) }
            let ready = clock.now
            try engine?.adopt(weights, version: version)
            held[version] = source.version
            shelf.finishLoading(version, succeeded: true)
            for waiter in waiters.removeValue(forKey: version) ?? [] {
                waiter.continuation.resume(with: Result { try enter(waiter.request, version) })
            }
            pauses.adopt(
                Adoption(
                    version: version, isRevised: revised != nil,
                    fetchSeconds: revised != nil ? source.policy.fetchSeconds : 0,
                    applySeconds: began.duration(to: ready) / .seconds(1),
                    pauseSeconds: ready.duration(to: clock.now) / .seconds(1)))
            if let complaint = weights.residence.complaint { log.notice("\(complaint)") }
        } catch {
            log.debug("version \(version) is not loaded", metadata: ["reason": "\(error)"])
            shelf.finishLoading(version, succeeded: false)
            for waiter in waiters.removeValue(forKey: version) ?? [] {
                forget(waiter.request.groupID)
                waiter.continuation.resume(throwing: error)
            }
        }
        let known = shelf.loaded
        // The newest announced one may be dropped for an older one's late group, and loaded again.
        sources = sources.filter {
            $0.key == shelf.announced || !known.contains($0.key) && (waiters[$0.key] != nil || $0.key > version)
        }
        tidy()
    }

    /// The version made of weights in memory; nil where it has to be read from its files.
    private func revisedWeights(_ source: Source) async -> ModelWeights? {
        let differences = source.policy.differences
        guard let engine, let base = differences.first?.base.version else { return nil }
        do {
            return try await loader.revise(engine.weights(of: base), by: differences, to: source.version)
        } catch {
            log.notice("version \(source.version.number) is read from its files: \(error)")
            return nil
        }
    }

    private func loadedWeights(_ source: Source) async throws -> ModelWeights {
        let files = try await source.policy.files()
        _ = try await preparedEngine(files)
        return try await loader.load(source.version, files)
    }

    /// The engine, made when the first version shows what model it is.
    private func preparedEngine(_ files: PolicyFiles) async throws -> GenerationEngine {
        if let engine { return engine }
        let model = try await loader.inspect(files)
        let plan: GenerationCapacity.Plan
        do {
            plan = try capacity.plan(for: model, threads: pool.threads, available: AvailableMemory.bytes)
        } catch let failure as RoleFailure {
            refusal = failure
            throw failure
        }
        if let complaint = plan.complaint { log.notice("\(complaint)") }
        shelf.capacity = plan.versions
        let made = GenerationEngine(
            configuration: model.configuration, kernels: kernels, pool: pool, context: context, limits: plan.limits)
        engine = made
        return made
    }

    // MARK: - Work

    /// Steps until a group is finished, nothing is left, or others have waited long enough.
    ///
    /// - Returns: The groups that were finished, and whether anything is left to do.
    /// - Throws: `GenerationError`, or a ``RoleFailure`` where this machine cannot work for the run at all.
    func step() throws -> (finished: [Finished], isIdle: Bool) {
        if let refusal { throw refusal }
        guard let engine, !engine.isIdle else { return ([], true) }
        let began = clock.now
        if let adoption = pauses.beginSteps(began) { log.info("\(adoption.sentence)") }
        var groups: [GroupResult] = []
        var elapsed = Duration.zero
        repeat {
            groups = try engine.step()
            elapsed = began.duration(to: clock.now)
        } while groups.isEmpty && !engine.isIdle && elapsed < Self.turn
        unclaimedSeconds += elapsed / .seconds(1)
        pauses.endSteps(began + elapsed, isDone: engine.isIdle && waiters.values.allSatisfy(\.isEmpty))
        guard !groups.isEmpty else { return ([], engine.isIdle) }
        let share = unclaimedSeconds / Double(groups.count)
        unclaimedSeconds = 0
        for group in groups { forget(group.groupID) }
        tidy()
        return (groups.map { Finished(group: $0, seconds: share) }, engine.isIdle)
    }

    /// Tokens generated so far.
    var tokensGenerated: UInt64 { engine?.tokensGenerated ?? 0 }
}
