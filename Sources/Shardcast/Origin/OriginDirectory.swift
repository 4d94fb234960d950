import Identity
import Synchronization

/// The directory that a run's trainer publishes its policy versions to, and that relays or any static server serve.
///
/// The process may be killed between any two instructions: shards are synced before the manifest that names them,
/// the manifest before `latest`, and opening the directory finishes or discards what was left. One process writes at
/// a time; readers need no lock, because files only ever appear complete and under their final name.
public final class OriginDirectory: Sendable {
    /// What is published, as far as this object has to know it.
    struct State {
        /// Versions that clients can fetch.
        var live: [UInt64: SignedManifest] = [:]
        /// The highest number ever used, whether or not its version is still there.
        var highest: UInt64?
        /// The version whose files under `.head` this process wrote or hashed.
        var checkedHead: UInt64?
    }

    /// A moment in a publication at which a crash is imaginable; tests look at the directory there.
    enum Moment: Hashable, Sendable {
        case begun, shardWritten, shardRenamed, shardsSynced, manifestWritten, latestWritten, headReplaced,
            manifestRetired, shardRemoved
    }

    let layout: ContentLayout
    let key: SigningKey
    let state = Mutex(State())
    /// Called at each moment while the state is locked; a test throws here to interrupt a publication.
    let observe: @Sendable (Moment) throws(ShardcastError) -> Void
    let sync = ParallelSync()
    private let lock: DirectoryLock

    /// The run whose versions are published here.
    public let run: Hash256
    /// The directory's path.
    public var path: String { layout.root }

    /// Opens the directory, creating it if need be, and repairs what a killed process left.
    ///
    /// - Parameter path: The directory; one process at a time.
    /// - Parameter run: The run; a directory that already holds another one is refused.
    /// - Parameter key: The key that clients trust; a directory signed by another one is refused.
    /// - Throws: ``ShardcastError``.
    public convenience init(path: String, run: Hash256, key: SigningKey) throws(ShardcastError) {
        try self.init(path: path, run: run, key: key, observe: { (_) throws(ShardcastError) in })
    }

    /// Opens a directory whose run is whatever it holds already; a new one gets a run that follows from the key.
    ///
    /// - Throws: ``ShardcastError``, also where the newest manifest there is signed by another key.
    public convenience init(continuing path: String, key: SigningKey) throws(ShardcastError) {
        var run = SHA256.hash(Array("apus/weights/v1\0".utf8) + key.publicKey.rawBytes)
        if let bytes = try ContentLayout.manifestBytes(at: ContentLayout(path).latest) {
            do throws(ShardcastError) {
                run = try SignedManifest(verifying: bytes, trust: key.publicKey).manifest.run
            } catch {
                throw ShardcastError(error.kind, "\(path) cannot be continued: \(error.message)")
            }
        }
        try self.init(path: path, run: run, key: key)
    }

    init(
        path: String, run: Hash256, key: SigningKey,
        observe: @escaping @Sendable (Moment) throws(ShardcastError) -> Void
    ) throws(ShardcastError) {
        layout = ContentLayout(path)
        self.run = run
        self.key = key
        self.observe = observe
        try layout.create()
        lock = try DirectoryLock(directory: layout.root)
        try layout.clearTemporary()
        let recovered = try recover()
        state.withLock { $0 = recovered }
        try state.withLock { (state) throws(ShardcastError) in
            try completeLatest(state)
            try collectShards(state)
        }
    }

    /// The highest version number that was ever published here; the next one must be higher.
    public var highestVersion: UInt64? { state.withLock { $0.highest } }

    /// The versions that can be fetched, in ascending order.
    public var versions: [UInt64] { state.withLock { $0.live.keys.sorted() } }

    /// The manifest of a version, also of one whose shards were pruned; nil if it was never published.
    public func manifest(_ version: UInt64) throws(ShardcastError) -> Manifest? {
        try state.withLock { (state) throws(ShardcastError) in try signedManifest(version, state)?.manifest }
    }

    func signedManifest(_ version: UInt64, _ state: borrowing State) throws(ShardcastError) -> SignedManifest? {
        if let live = state.live[version] { return live }
        return try readManifest(layout.retiredManifest(version), version: version)
    }

    /// Reads what is there and checks that it is ours.
    private func recover() throws(ShardcastError) -> State {
        var state = State()
        for version in try ContentLayout.versions(in: layout.manifests) {
            state.live[version] = try readManifest(layout.manifest(version), version: version)
        }
        let retired = try ContentLayout.versions(in: layout.retired)
        state.highest = [state.live.keys.max(), retired.last].compactMap { $0 }.max()
        return state
    }

    private func readManifest(_ path: String, version: UInt64) throws(ShardcastError) -> SignedManifest? {
        guard let bytes = try ContentLayout.manifestBytes(at: path) else { return nil }
        do throws(ShardcastError) {
            let signed = try SignedManifest(verifying: bytes, trust: key.publicKey)
            // An expired manifest of our own is still our own: only the run matters here.
            try signed.check(run: run, now: signed.manifest.createdMilliseconds)
            guard signed.manifest.version == version else {
                throw ShardcastError(.malformedManifest, "It describes version \(signed.manifest.version).")
            }
            return signed
        } catch {
            throw ShardcastError(error.kind, "\(path) cannot be continued: \(error.message)")
        }
    }

    /// `latest` names the newest complete version, also if the process died just before it said so.
    private func completeLatest(_ state: borrowing State) throws(ShardcastError) {
        guard let newest = state.live.keys.max(), let signed = state.live[newest] else { return }
        guard try ContentLayout.manifestBytes(at: layout.latest) != signed.bytes else { return }
        try layout.replace(layout.latest, with: signed.bytes, durable: true)
        try Directories.synchronize(layout.manifests)
    }
}
