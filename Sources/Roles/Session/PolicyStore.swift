import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Shardcast

/// The policy versions that a member holds: fetched once, checked, kept while something may need them.
actor PolicyStore {
    private let client: WeightClient
    private let log: Logger
    private let kept: Int
    private var fetches: [UInt64: Task<FetchedVersion, any Error>] = [:]
    private var newest: UInt64 = 0

    /// A store in `directory` that trusts what the run's lab signed.
    init(relays: [String], trust: PublicKey, run: Hash256, directory: String, keeping kept: Int = 4, log: Logger) throws
    {
        client = try WeightClient(
            configuration: WeightClientConfiguration(
                upstreams: try relays.map { try UpstreamAddress($0) }, trust: trust, run: run, directory: directory),
            logger: log)
        self.log = log
        self.kept = kept
    }

    /// The files of a version, fetched if they are not here yet; an adapter's base comes with it.
    ///
    /// Several callers share one fetch.
    func files(of version: PolicyVersion) async throws -> PolicyFiles {
        newest = max(newest, version.number)
        let fetch =
            fetches[version.number]
            ?? Task { [client] in
                try await client.fetch(
                    version: version.number, weightsHash: version.weightsHash, timeout: .seconds(120))
            }
        fetches[version.number] = fetch
        do {
            let fetched = try await fetch.value
            if fetched.bytesTransferred > 0 {
                log.debug(
                    "version \(fetched.version) fetched",
                    metadata: ["bytes": "\(fetched.bytesTransferred)", "seconds": "\(fetched.duration / .seconds(1))"])
            }
            forgetOld(but: version.number)
            return PolicyFiles(
                model: fetched.basePath ?? fetched.path, adapter: fetched.basePath == nil ? nil : fetched.path)
        } catch {
            // A failed fetch is not remembered: the next caller tries again.
            fetches[version.number] = nil
            throw error
        }
    }

    private func forgetOld(but needed: UInt64) {
        for version in fetches.keys where version + UInt64(kept) < newest && version != needed {
            fetches[version] = nil
        }
        do {
            _ = try client.prune(keeping: kept, retaining: Set(fetches.keys))
        } catch {
            log.debug("old versions not removed yet", metadata: ["reason": "\(error)"])
        }
    }

    func shutDown() async { await client.shutDown() }
}
