import Identity
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The one place where a manifest from the network becomes a manifest that is believed.
final class ManifestGate: Sendable {
    private struct State {
        /// The run; pinned by the first manifest if it was not given.
        var run: Hash256?
        /// What was believed about the latest versions, to notice a second truth about one of them.
        var digests: [UInt64: Hash256] = [:]
    }

    /// How many versions are remembered.
    private static let memory = 64

    let trust: PublicKey
    private let state: Mutex<State>

    init(trust: PublicKey, run: Hash256?) {
        self.trust = trust
        state = Mutex(State(run: run))
    }

    var run: Hash256? { state.withLock { $0.run } }

    /// Believes bytes or says why not.
    ///
    /// - Parameter source: Who sent them, for the sentence.
    /// - Parameter version: The version that was asked for; nil if any will do.
    func admit(_ bytes: [UInt8], from source: String, version: UInt64? = nil) throws(ShardcastError) -> SignedManifest {
        do throws(ShardcastError) {
            let signed = try SignedManifest(verifying: bytes, trust: trust)
            let manifest = signed.manifest
            try signed.check(run: run, now: Int64(Date().timeIntervalSince1970 * 1000))
            if let version, manifest.version != version {
                throw ShardcastError(
                    .wentBackwards,
                    "Asked for version \(version), the server sent the manifest of version \(manifest.version).")
            }
            let digest = signed.digest
            let isConsistent = state.withLock { state in
                if let known = state.digests[manifest.version] { return known == digest }
                if state.run == nil { state.run = manifest.run }
                state.digests[manifest.version] = digest
                if state.digests.count > Self.memory, let oldest = state.digests.keys.min() {
                    state.digests[oldest] = nil
                }
                return true
            }
            guard isConsistent else {
                throw ShardcastError(
                    .conflictingManifest,
                    "There are two different manifests of version \(manifest.version), both signed by the trusted key: "
                        + "tell whoever runs the trainer.")
            }
            return signed
        } catch {
            throw ShardcastError(error.kind, "\(source): \(error.message)")
        }
    }
}
