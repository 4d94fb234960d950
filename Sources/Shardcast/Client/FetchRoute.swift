/// A way to a version: whole, or from a version at hand through differences.
struct FetchRoute {
    /// Where the way begins: a version that is installed, or one whose files are fetched whole.
    let start: SignedManifest
    let isStartInstalled: Bool
    /// The versions whose differences lead from the start to the target; empty where the start is the target.
    let chain: [SignedManifest]
    /// What must be fetched, in bytes.
    let bytes: UInt64
}

/// Chooses the way that takes the fewest bytes.
struct RoutePlanner {
    /// The manifest of an installed version whose files are intact.
    let installed: (UInt64) async throws -> SignedManifest?
    /// A manifest from upstream; where it is not needed, one that nobody has is not waited for.
    let manifest: (_ version: UInt64, _ isNeeded: Bool) async throws -> SignedManifest
    /// Installed versions from which a way has failed.
    let avoided: Set<UInt64>

    /// The cheapest way to a version; nil where there is none.
    ///
    /// Goes back along the bases, at most ``ManifestLimits/chain`` of them, and only as long as differences cost less than
    /// the best way found so far.
    func route(to target: SignedManifest) async throws -> FetchRoute? {
        var best: FetchRoute?
        if target.manifest.kind != .delta {
            best = FetchRoute(
                start: target, isStartInstalled: false, chain: [], bytes: target.manifest.totalBytes)
        }
        var chain: [SignedManifest] = []
        var bytes: UInt64 = 0
        var current = target
        while chain.count < ManifestLimits.chain, let delta = current.manifest.delta, let base = current.manifest.base {
            bytes += delta.bytes
            chain.insert(current, at: 0)
            if let best, bytes >= best.bytes { break }
            if !avoided.contains(base), let start = try await installed(base), isBase(start, of: current) {
                return FetchRoute(start: start, isStartInstalled: true, chain: chain, bytes: bytes)
            }
            let next: SignedManifest
            do {
                // An older version than one that is out is not on its way: where it is missing, it was removed.
                next = try await manifest(base, best == nil)
            } catch {
                // Without it, what was found so far must do.
                if best == nil { throw error }
                break
            }
            guard isBase(next, of: current) else { break }
            if next.manifest.kind == .full, !avoided.contains(base) {
                let whole = bytes + next.manifest.totalBytes
                if best.map({ whole < $0.bytes }) ?? true {
                    best = FetchRoute(start: next, isStartInstalled: false, chain: chain, bytes: whole)
                }
            }
            current = next
        }
        return best
    }

    /// Whether a difference is for exactly these weights, and both have the same files of weights.
    private func isBase(_ base: SignedManifest, of next: SignedManifest) -> Bool {
        base.manifest.kind != .adapter && base.manifest.weightsHash == next.manifest.baseWeightsHash
            && base.manifest.weightFiles.map(\.name) == next.manifest.weightFiles.map(\.name)
            && base.manifest.weightFiles.map(\.bytes) == next.manifest.weightFiles.map(\.bytes)
    }
}
