import Identity
import Logging
import Synchronization

/// Serves the directory of an ``OriginDirectory``, also while another process writes to it.
final class OriginSource: WeightSource {
    let board: VersionBoard
    private let layout: ContentLayout
    private let gate: ManifestGate
    private let poll: Duration
    private let logger: Logger
    private let fault = Mutex<ShardcastError?>(nil)

    init(directory: String, gate: ManifestGate, board: VersionBoard, poll: Duration, logger: Logger) {
        layout = ContentLayout(directory)
        self.gate = gate
        self.board = board
        self.poll = poll
        self.logger = logger
    }

    var complaint: ShardcastError? { fault.withLock { $0 } }

    func manifest(_ version: UInt64) async throws(ShardcastError) -> [UInt8]? {
        if let newest = board.newest, newest.manifest.version == version { return newest.bytes }
        // Not beyond what `latest` names: a manifest may lie there a moment before its publication is complete.
        guard let newest = board.newest?.manifest.version, version < newest else { return nil }
        guard let bytes = try ContentLayout.manifestBytes(at: layout.manifest(version)) else { return nil }
        return try SignedManifest(verifying: bytes, trust: gate.trust).bytes
    }

    func shard(_ hash: Hash256) async throws(ShardcastError) -> SourcedShard {
        try OpenFile.reading(layout.shard(hash)).map { .file($0) } ?? .absent
    }

    /// Looks at `latest` again and again: one `stat` each, and no event that could be missed.
    func run() async {
        var seen: FileStamp?
        var changedAt = ContinuousClock.now
        while !Task.isCancelled {
            let stamp = FileStamp(layout.latest)
            if let stamp, stamp != seen {
                seen = stamp
                changedAt = .now
                read()
            }
            try? await Task.sleep(for: Self.interval(after: changedAt.duration(to: .now), shortest: poll))
        }
    }

    /// How long until the next look: a small part of the time between versions, so that it hardly adds to that, and a relay
    /// that waits for minutes hardly computes.
    static func interval(after quiet: Duration, shortest: Duration) -> Duration {
        max(shortest, min(quiet / 256, .milliseconds(250)))
    }

    private func read() {
        do throws(ShardcastError) {
            guard let bytes = try ContentLayout.manifestBytes(at: layout.latest) else { return }
            let signed = try gate.admit(bytes, from: layout.latest)
            if let newest = board.newest?.manifest.version, newest > signed.manifest.version {
                throw ShardcastError(
                    .wentBackwards,
                    "\(layout.latest) fell back from version \(newest) to \(signed.manifest.version): "
                        + "the directory was replaced; restart the relay if that was meant.")
            }
            board.publish(signed)
            fault.withLock { $0 = nil }
            logger.info(
                "Version \(signed.manifest.version) is out.", metadata: ["bytes": "\(signed.manifest.totalBytes)"])
        } catch {
            fault.withLock { $0 = error }
            logger.error("\(error.message)")
        }
    }
}
