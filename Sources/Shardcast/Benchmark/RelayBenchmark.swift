import Identity
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Measures publication, relay and clients together on loopback, in directories of its own.
public struct RelayBenchmark: Sendable {
    /// What one measurement gave.
    public struct Result: Sendable, Codable {
        /// Size of the published file.
        public let bytes: UInt64
        /// Versions published and fetched.
        public let rounds: Int
        /// Clients that fetched each version at the same time.
        public let clients: Int
        /// Caching relays between the origin and the clients, one behind the other.
        public let relays: Int
        /// Median seconds from the begin of a publication to the end of the last fetch by clients that waited for it.
        public let publishToFetchedSeconds: Double
        /// Median seconds of the publication alone, all syncs included.
        public let publishSeconds: Double
        /// Median seconds from the first news to the end of the last fetch.
        public let fetchSeconds: Double
        /// Bytes that all clients together received, by median seconds of the fetch.
        public let bytesPerSecond: Double
        /// Processor seconds of everything, per version.
        public let processorSeconds: Double
        /// Most memory that the process ever held.
        public let peakMemoryBytes: UInt64
    }

    /// An empty directory that the measurement may fill; the caller removes it.
    public let directory: String

    /// Prepares a measurement.
    public init(directory: String) {
        self.directory = directory
    }

    /// Publishes random files of a size and fetches each with clients that wait for it.
    ///
    /// - Throws: ``ShardcastError``.
    public func run(bytes: Int, rounds: Int, clients: Int = 1, relays: Int = 0) async throws -> Result {
        let logger = Logger(label: "apus.bench.relay") { _ in SwiftLogNoOpLogHandler() }
        let key = SigningKey()
        let run = SHA256.hash(try randomBytes(32))
        let origin = try OriginDirectory(path: "\(directory)/origin", run: run, key: key)
        let relay = try RelayServer(
            configuration: RelayConfiguration(source: .origin(directory: origin.path), trust: key.publicKey, run: run),
            logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await relay.run() }
            defer { group.cancelAll() }
            var address = try UpstreamAddress("http://127.0.0.1:\(try await relay.listeningPort())")
            for index in 0..<relays {
                let cache = try RelayServer(
                    configuration: RelayConfiguration(
                        source: .upstreams([address], cache: "\(directory)/cache-\(index)"), trust: key.publicKey,
                        run: run),
                    logger: logger)
                group.addTask { try await cache.run() }
                address = try UpstreamAddress("http://127.0.0.1:\(try await cache.listeningPort())")
            }
            var waiting: [WeightClient] = []
            for index in 0..<clients {
                waiting.append(
                    try WeightClient(
                        configuration: WeightClientConfiguration(
                            upstreams: [address], trust: key.publicKey, run: run,
                            directory: "\(directory)/client-\(index)"),
                        logger: logger))
            }
            let result = try await measure(bytes, rounds, relays, origin, waiting)
            for client in waiting { await client.shutDown() }
            return result
        }
    }

    private func measure(
        _ bytes: Int, _ rounds: Int, _ relays: Int, _ origin: OriginDirectory, _ clients: [WeightClient]
    ) async throws -> Result {
        var total: [Double] = []
        var publishing: [Double] = []
        var fetching: [Double] = []
        var known: UInt64?
        var processor = 0.0
        // The first round opens connections and directories, as the first version of a run does; it is not counted.
        for round in 0...rounds {
            if round == 1 { processor = Self.usage().seconds }
            let version = UInt64(round + 1)
            let file = PublishedFile(name: "model.safetensors", contents: .bytes(try randomBytes(bytes)))
            let after = known
            let waiting = clients.map { client in
                Task { () async throws -> (ContinuousClock.Instant, ContinuousClock.Instant) in
                    let manifest = try await client.waitForVersion(after: after, timeout: .seconds(60))
                    let begin = ContinuousClock.now
                    _ = try await client.fetch(version: manifest.version, timeout: .seconds(600))
                    return (begin, .now)
                }
            }
            try await Task.sleep(for: .milliseconds(20))
            let begin = ContinuousClock.now
            let published = try await onDiskThread {
                try origin.publish(files: [file], version: version, step: version, weightsHash: .zero)
                return ContinuousClock.now
            }
            var news = begin + .seconds(3600)
            var end = begin
            for task in waiting {
                let (first, last) = try await task.value
                news = min(news, first)
                end = max(end, last)
            }
            known = version
            for client in clients { try client.prune(keeping: 1) }
            try origin.prune(keeping: 1)
            guard round > 0 else { continue }
            total.append((end - begin) / .seconds(1))
            publishing.append((published - begin) / .seconds(1))
            fetching.append((end - news) / .seconds(1))
        }
        let fetch = median(fetching)
        let usage = Self.usage()
        return Result(
            bytes: UInt64(bytes), rounds: rounds, clients: clients.count, relays: relays,
            publishToFetchedSeconds: median(total), publishSeconds: median(publishing), fetchSeconds: fetch,
            bytesPerSecond: fetch > 0 ? Double(bytes * clients.count) / fetch : 0,
            processorSeconds: (usage.seconds - processor) / Double(rounds), peakMemoryBytes: usage.peak)
    }

    /// What this process has used so far.
    private static func usage() -> (seconds: Double, peak: UInt64) {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let unit: UInt64 = 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            let unit: UInt64 = 1
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return (seconds(usage.ru_utime) + seconds(usage.ru_stime), UInt64(clamping: usage.ru_maxrss) * unit)
    }

    private func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}
