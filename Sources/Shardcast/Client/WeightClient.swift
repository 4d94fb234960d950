import Identity
import Logging
import Synchronization

/// Fetches policy versions for a worker, a verifier or a person: checked, resumable, from whoever has them.
///
/// No server is trusted. A manifest counts by its signature and run, a shard by its hash before it is used, a version
/// never goes down. Call ``shutDown()`` when done.
public final class WeightClient: Sendable {
    let configuration: WeightClientConfiguration
    let logger: Logger
    private let gate: ManifestGate
    private let board = VersionBoard(maximumWaiters: 1 << 16)
    let store: VersionStore
    let upstreams: UpstreamSet
    private let watcher: LatestWatcher
    private let watching = Mutex<Task<Void, Never>?>(nil)
    let flights = SingleFlight<UInt64, FetchedVersion>()
    let differences = SingleFlight<UInt64, WeightDifference?>()

    /// Opens the directory; nothing is sent yet.
    ///
    /// - Throws: ``ShardcastError`` if no upstream is named, or another process works in the directory.
    public init(configuration: WeightClientConfiguration, logger: Logger) throws(ShardcastError) {
        self.configuration = configuration
        self.logger = logger
        gate = ManifestGate(trust: configuration.trust, run: configuration.run)
        store = try VersionStore(directory: configuration.directory, gate: gate)
        var patience = Upstream.Patience()
        patience.silence = configuration.silence
        upstreams = try UpstreamSet(
            configuration.upstreams, patience: patience, connections: configuration.concurrentShards,
            missingPatience: configuration.missingPatience)
        var pace = LatestWatcher.Pace()
        pace.longPoll = configuration.longPoll
        watcher = LatestWatcher(
            upstreams: upstreams, gate: gate, board: board, floor: store.versions.last, pace: pace, logger: logger)
    }

    /// Opens the directory for relays given as text, with defaults for everything else.
    ///
    /// - Throws: ``ShardcastError`` if an address is none, or another process works in the directory.
    public convenience init(
        upstreams: [String], trust: PublicKey, run: Hash256?, directory: String, logger: Logger
    ) throws(ShardcastError) {
        var addresses: [UpstreamAddress] = []
        for text in upstreams { addresses.append(try UpstreamAddress(text)) }
        try self.init(
            configuration: .init(upstreams: addresses, trust: trust, run: run, directory: directory), logger: logger)
    }

    deinit {
        let task = watching.withLock { $0 }
        task?.cancel()
    }

    /// The versions on the disk, in ascending order; their files are checked again when they are fetched.
    public var installedVersions: [UInt64] { store.versions }

    /// Bytes of all bodies received since the client was made, manifests and failed attempts included.
    public var bytesReceived: UInt64 { upstreams.bytesReceived }

    /// What is wrong with the upstreams now, one sentence each; empty if all is well.
    public var complaints: [ShardcastError] { watcher.complaints }

    /// Returns as soon as any upstream has a version above `version`.
    ///
    /// From the first call on, one long poll stands at every upstream, so later calls find the news waiting.
    ///
    /// - Parameter version: The version that is known already; nil returns the newest there is.
    /// - Parameter timeout: How long to wait; nil waits for as long as it may still come.
    /// - Throws: ``ShardcastError``: `timedOut`, or the reason for which no upstream can ever be believed (wrong key,
    ///   another run, schema).
    public func waitForVersion(after version: UInt64?, timeout: Duration? = nil) async throws(ShardcastError)
        -> Manifest
    {
        startWatching()
        if board.newest == nil, let hopelessness = watcher.hopelessness { throw hopelessness }
        switch await board.newer(than: version, within: timeout) {
        case .newer(let signed): return signed.manifest
        case .failed(let error): throw error
        case .tooManyWaiters: throw ShardcastError(.refused, "Too many tasks wait for a version in this process.")
        case .nothingNewer:
            if Task.isCancelled || timeout == nil {
                throw ShardcastError(.shutDown, "Waiting for a newer version was cancelled.")
            }
            let complaints = watcher.complaints
            let sentence = "No version\(version.map { " after \($0)" } ?? "") came in time."
            guard let first = complaints.first else { throw ShardcastError(.timedOut, sentence) }
            throw ShardcastError(first.kind, ([sentence] + complaints.map(\.message)).joined(separator: " "))
        }
    }

    /// Brings a version to this machine's disk, or finds it there.
    ///
    /// A fetch that was interrupted, even by `kill -9`, goes on where it was; calls for the same version share one fetch.
    /// An adapter brings the full version that it belongs to with it, unless that is here.
    ///
    /// - Parameter version: The version.
    /// - Parameter weightsHash: What the lease says the weights must be; another version of that number is refused.
    /// - Parameter timeout: When to give up.
    /// - Parameter progress: Called at most ten times a second, from any thread.
    /// - Throws: ``ShardcastError``.
    public func fetch(
        version: UInt64, weightsHash: Hash256? = nil, timeout: Duration = .seconds(900),
        progress: (@Sendable (FetchProgress) -> Void)? = nil
    ) async throws(ShardcastError) -> FetchedVersion {
        let deadline = ContinuousClock.now + timeout
        var fetched = try await files(of: version, timeout: timeout, progress: progress)
        if let weightsHash, fetched.manifest.weightsHash != weightsHash {
            throw Self.conflict(version, has: fetched.manifest.weightsHash, wanted: weightsHash)
        }
        if fetched.manifest.kind == .adapter, let number = fetched.manifest.base {
            let base = try await files(of: number, timeout: deadline - .now, progress: progress)
            guard base.manifest.kind == .full else {
                throw ShardcastError(
                    .malformedManifest,
                    "Version \(version) is an adapter of version \(number), which is not a whole model: the publisher is "
                        + "faulty; report it.")
            }
            if let wanted = fetched.manifest.baseWeightsHash, base.manifest.weightsHash != wanted {
                throw Self.conflict(number, has: base.manifest.weightsHash, wanted: wanted)
            }
            fetched.basePath = base.path
            fetched.bytesTransferred += base.bytesTransferred
            fetched.bytesReused += base.bytesReused
            fetched.duration += base.duration
        }
        return fetched
    }

    static func conflict(_ version: UInt64, has found: Hash256, wanted: Hash256) -> ShardcastError {
        ShardcastError(
            .conflictingManifest,
            "Version \(version) has the weights \(found.hex), but \(wanted.hex) was leased: "
                + "orchestrator and trainer disagree.")
    }

    /// The files that one manifest names.
    private func files(
        of version: UInt64, timeout: Duration, progress: (@Sendable (FetchProgress) -> Void)?
    ) async throws(ShardcastError) -> FetchedVersion {
        try await shared(version) { [self] in
            try await flights.run(version) { [self] in
                let deadline = ContinuousClock.now + timeout
                return try await RoutedFetch(
                    fetch: versionFetch(until: deadline), logger: logger,
                    manifest: { (version, isNeeded) async throws(ShardcastError) in
                        try await self.manifest(
                            version, within: deadline - .now, missingPatience: isNeeded ? nil : .zero)
                    }
                ).run(version, progress)
            }
        }
    }

    /// Fetches the newest version that any upstream has.
    ///
    /// Every upstream gets a second to say what it has: the first to answer may be the one that replays an old manifest.
    ///
    /// - Throws: ``ShardcastError``.
    public func fetchLatest(
        timeout: Duration = .seconds(900), progress: (@Sendable (FetchProgress) -> Void)? = nil
    ) async throws(ShardcastError) -> FetchedVersion {
        var manifest = try await waitForVersion(after: nil, timeout: timeout)
        let patience = ContinuousClock.now + .seconds(1)
        while !watcher.hasHeardAll, ContinuousClock.now < patience, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
        if let newest = board.newest { manifest = newest.manifest }
        return try await fetch(version: manifest.version, timeout: timeout, progress: progress)
    }

    /// Removes old versions from the disk; a model that is mapped stays readable to those who mapped it.
    ///
    /// - Returns: The removed versions.
    /// - Throws: ``ShardcastError`` if the file system refuses.
    @discardableResult
    public func prune(keeping count: Int, retaining retained: Set<UInt64> = []) throws(ShardcastError) -> [UInt64] {
        try store.prune(keeping: count, retaining: retained)
    }

    /// Ends all waits and closes the connections; the client is of no use afterwards.
    public func shutDown() async {
        let task = watching.withLock { $0 }
        task?.cancel()
        board.close()
        await task?.value
        await upstreams.shutDown()
        store.close()
    }

    /// - Parameter missingPatience: How long "I do not have it" may mean "not yet"; nil for as long as is configured.
    func manifest(
        _ version: UInt64, within timeout: Duration, missingPatience: Duration? = nil
    ) async throws(ShardcastError) -> SignedManifest {
        if let newest = board.newest, newest.manifest.version == version { return newest }
        let gate = gate
        return try await upstreams.attempt(
            "the manifest of version \(version)", deadline: .now + timeout, missingPatience: missingPatience
        ) {
            (upstream) async throws(ShardcastError) in
            guard let bytes = try await upstream.manifest(version) else { return .missing }
            return .value(try gate.admit(bytes, from: upstream.address.description, version: version))
        }
    }

    private func startWatching() {
        watching.withLock { task in
            if task == nil { task = Task { [watcher] in await watcher.run() } }
        }
    }
}
