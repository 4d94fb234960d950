import Identity
import Logging

/// Measures publication, relay and client together on loopback, in directories of its own.
public struct RelayBenchmark: Sendable {
    /// What one measurement gave.
    public struct Result: Sendable, Codable {
        /// Size of the published file.
        public let bytes: UInt64
        /// Versions published and fetched.
        public let rounds: Int
        /// Median seconds from the begin of a publication to the end of the fetch by a waiting client.
        public let publishToFetchedSeconds: Double
        /// Median seconds of the publication alone, all syncs included.
        public let publishSeconds: Double
        /// Median seconds from the news to the end of the fetch.
        public let fetchSeconds: Double
        /// File bytes by median seconds of the fetch.
        public let bytesPerSecond: Double
    }

    /// An empty directory that the measurement may fill; the caller removes it.
    public let directory: String

    /// Prepares a measurement.
    public init(directory: String) {
        self.directory = directory
    }

    /// Publishes random files of a size and fetches each with a client that waits for it.
    ///
    /// - Parameter viaCache: Whether a caching relay stands between origin and client.
    /// - Throws: ``ShardcastError``.
    public func run(bytes: Int, rounds: Int, viaCache: Bool = false) async throws -> Result {
        let logger = Logger(label: "apus.bench.relay") { _ in SwiftLogNoOpLogHandler() }
        let key = SigningKey()
        let run = SHA256.hash(try randomBytes(32))
        let origin = try OriginDirectory(path: "\(directory)/origin-\(bytes)", run: run, key: key)
        let relay = try RelayServer(
            configuration: RelayConfiguration(source: .origin(directory: origin.path), trust: key.publicKey, run: run),
            logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await relay.run() }
            defer { group.cancelAll() }
            var address = try UpstreamAddress("http://127.0.0.1:\(try await relay.listeningPort())")
            if viaCache {
                let cache = try RelayServer(
                    configuration: RelayConfiguration(
                        source: .upstreams([address], cache: "\(directory)/cache-\(bytes)"), trust: key.publicKey,
                        run: run),
                    logger: logger)
                group.addTask { try await cache.run() }
                address = try UpstreamAddress("http://127.0.0.1:\(try await cache.listeningPort())")
            }
            let client = try WeightClient(
                configuration: WeightClientConfiguration(
                    upstreams: [address], trust: key.publicKey, run: run, directory: "\(directory)/client-\(bytes)"),
                logger: logger)
            let result = try await measure(bytes, rounds, origin, client)
            await client.shutDown()
            return result
        }
    }

    private func measure(
        _ bytes: Int, _ rounds: Int, _ origin: OriginDirectory, _ client: WeightClient
    ) async throws -> Result {
        var total: [Double] = []
        var publishing: [Double] = []
        var fetching: [Double] = []
        var known: UInt64?
        // The first round opens connections and directories, as the first version of a run does; it is not counted.
        for round in 0...rounds {
            let version = UInt64(round + 1)
            let file = PublishedFile(name: "model.safetensors", contents: .bytes(try randomBytes(bytes)))
            let after = known
            let waiting = Task { () async throws -> (ContinuousClock.Instant, ContinuousClock.Instant) in
                let manifest = try await client.waitForVersion(after: after, timeout: .seconds(60))
                let begin = ContinuousClock.now
                _ = try await client.fetch(version: manifest.version, timeout: .seconds(600))
                return (begin, .now)
            }
            try await Task.sleep(for: .milliseconds(20))
            let begin = ContinuousClock.now
            let published = try await onDiskThread {
                try origin.publish(files: [file], version: version, step: version, weightsHash: .zero)
                return ContinuousClock.now
            }
            let (news, end) = try await waiting.value
            known = version
            try client.prune(keeping: 1)
            try origin.prune(keeping: 1)
            guard round > 0 else { continue }
            total.append(seconds(end - begin))
            publishing.append(seconds(published - begin))
            fetching.append(seconds(end - news))
        }
        let fetch = median(fetching)
        return Result(
            bytes: UInt64(bytes), rounds: rounds, publishToFetchedSeconds: median(total),
            publishSeconds: median(publishing),
            fetchSeconds: fetch, bytesPerSecond: fetch > 0 ? Double(bytes) / fetch : 0)
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}
