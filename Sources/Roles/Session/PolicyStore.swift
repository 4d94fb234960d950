import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Shardcast

/// The policy versions that a member holds: fetched once, checked, kept while something may need them.
///
/// Who has the version before in memory gets differences, and the files follow later and not for every version: they are for
/// restarts, and a disk lives longer that is not written to all the time.
actor PolicyStore {
    /// Versions that a chain of differences may pass over; a longer way is a fetch.
    private static let longestChain = 8

    private let client: WeightClient
    private let log: Logger
    private let kept: Int
    private let pause: Duration
    private var fetches: [UInt64: Task<FetchedVersion, any Error>] = [:]
    private var differences: [UInt64: Task<WeightDifference?, any Error>] = [:]
    private var newest: UInt64 = 0
    private var lateFiles: Task<Void, Never>?
    private var unwritten: PolicyVersion?

    /// A store in `directory` that trusts what the run's lab signed.
    ///
    /// - Parameter pause: How long the disk is left alone between one version's files and the next one's, where the weights come
    ///   as differences.
    init(
        relays: [String], trust: PublicKey, run: Hash256, directory: String, keeping kept: Int = 4,
        pause: Duration = .seconds(30), log: Logger
    ) throws {
        client = try WeightClient(
            configuration: WeightClientConfiguration(
                upstreams: try relays.map { try UpstreamAddress($0) }, trust: trust, run: run, directory: directory),
            logger: log)
        self.log = log
        self.kept = kept
        self.pause = pause
    }

    // MARK: - In memory

    /// Brings what a version can be loaded from: differences where they lead to it from `base`, else its files.
    ///
    /// - Parameter base: The newest version that the caller has in memory.
    func source(of version: PolicyVersion, from base: PolicyVersion?) async throws -> PolicySource {
        newest = max(newest, version.number)
        let files = { @Sendable [self] in try await self.files(of: version) }
        // It is there already; should it go meanwhile, its files are fetched then.
        if let base, base == version { return PolicySource(bring: files) }
        if let base, let chain = await chain(from: base, to: version) {
            writeFilesLater(version)
            return PolicySource(differences: chain, bring: files)
        }
        return PolicySource(try await files())
    }

    /// The differences between two versions, or nil where there are none or one cannot be had.
    private func chain(from base: PolicyVersion, to version: PolicyVersion) async -> [WeightDifference]? {
        var chain: [WeightDifference] = []
        var (number, hash) = (version.number, version.weightsHash)
        while chain.count < Self.longestChain, number > base.number {
            do {
                guard let step = try await difference(number, hash) else { return nil }
                chain.insert(step, at: 0)
                (number, hash) = (step.base.version, step.base.weightsHash)
            } catch {
                log.debug("no difference for version \(number)", metadata: ["reason": "\(error)"])
                return nil
            }
        }
        return number == base.number && hash == base.weightsHash ? chain : nil
    }

    private func difference(_ version: UInt64, _ hash: Hash256) async throws -> WeightDifference? {
        let fetch =
            differences[version]
            ?? Task { [client] in
                try await client.difference(to: version, weightsHash: hash, timeout: .seconds(120))
            }
        differences[version] = fetch
        do {
            let found = try await fetch.value
            differences = differences.filter { $0.key + UInt64(4 * Self.longestChain) > newest }
            return found
        } catch {
            differences[version] = nil
            throw error
        }
    }

    // MARK: - On the disk

    /// The files of a version, fetched or made if they are not here yet; an adapter's base comes with it.
    ///
    /// Several callers share one fetch.
    func files(of version: PolicyVersion) async throws -> PolicyFiles {
        newest = max(newest, version.number)
        let fetch =
            fetches[version.number]
            ?? Task {
                if let made = await self.made(version) { return made }
                return try await client.fetch(
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

    /// The version's files made of an older one's with differences that are here; nil where that is not possible.
    private func made(_ version: PolicyVersion) async -> FetchedVersion? {
        let installed = Set(client.installedVersions)
        guard !installed.contains(version.number) else { return nil }
        var chain: [WeightDifference] = []
        var number = version.number
        while let step = try? await differences[number]?.value {
            chain.insert(step, at: 0)
            number = step.base.version
            if installed.contains(number) { return try? await client.install(chain, timeout: .seconds(120)) }
        }
        return nil
    }

    /// Has the files of the newest version made, once the disk has had its rest.
    private func writeFilesLater(_ version: PolicyVersion) {
        guard version.number > unwritten?.number ?? 0 else { return }
        unwritten = version
        guard lateFiles == nil else { return }
        lateFiles = Task {
            while true {
                guard (try? await Task.sleep(for: pause)) != nil, let version = unwritten else { break }
                unwritten = nil
                do {
                    _ = try await files(of: version)
                } catch {
                    log.debug("files of version \(version.number) not made", metadata: ["reason": "\(error)"])
                }
                if unwritten == nil { break }
            }
            lateFiles = nil
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

    func shutDown() async {
        lateFiles?.cancel()
        await client.shutDown()
    }
}
