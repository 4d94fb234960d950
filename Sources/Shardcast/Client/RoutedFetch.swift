import Logging
import Synchronization

/// Brings a version here on the cheapest way, and on another one where that fails.
struct RoutedFetch: Sendable {
    /// Ways that are tried for one version.
    private static let attempts = 3

    let fetch: VersionFetch
    let logger: Logger
    let manifest: @Sendable (_ version: UInt64, _ isNeeded: Bool) async throws(ShardcastError) -> SignedManifest

    func run(_ version: UInt64, _ progress: (@Sendable (FetchProgress) -> Void)?) async throws -> FetchedVersion {
        let begin = ContinuousClock.now
        if let present = try await fetch.present(version, since: begin) { return present }
        let received = Mutex<UInt64>(0)
        func counted(_ version: UInt64, _ isNeeded: Bool) async throws -> SignedManifest {
            let signed = try await manifest(version, isNeeded)
            received.withLock { $0 += UInt64(signed.bytes.count) }
            return signed
        }
        let target = try await counted(version, true)
        var avoided = Set<UInt64>()
        var failure: ShardcastError?
        for _ in 0..<Self.attempts {
            let planner = RoutePlanner(installed: intact, manifest: counted, avoided: avoided)
            guard let route = try await planner.route(to: target) else { break }
            do {
                var fetched = try await follow(route, progress)
                fetched.bytesTransferred += received.withLock { $0 }
                fetched.duration = .now - begin
                return fetched
            } catch let error as ShardcastError where error.kind == .corruptDelta {
                logger.warning("\(error.message)")
                failure = error
                // Damage of the start is found by its hashes, and it is fetched again; an intact one is not tried again.
                let start = route.start.manifest.version
                fetch.store.distrust(start)
                if try await intact(start) != nil { avoided.insert(start) }
            }
        }
        throw failure
            ?? ShardcastError(
                .versionMissing,
                "Version \(version) is a difference, and nobody has the versions that it starts from any more: "
                    + "fetch a newer one.")
    }

    private func intact(_ version: UInt64) async throws -> SignedManifest? {
        guard fetch.store.manifest(version) != nil else { return nil }
        return try await onDiskThread { try fetch.store.intactVersion(version) }
    }

    private func follow(
        _ route: FetchRoute, _ progress: (@Sendable (FetchProgress) -> Void)?
    ) async throws -> FetchedVersion {
        var before: FetchedVersion?
        if !route.isStartInstalled {
            before = try await fetch.whole(route.start, progress)
            if route.chain.isEmpty, let before { return before }
        }
        var fetched = try await fetch.made(from: route.start, route.chain, progress)
        fetched.bytesTransferred += before?.bytesTransferred ?? 0
        fetched.bytesReused += before?.bytesReused ?? 0
        return fetched
    }
}
