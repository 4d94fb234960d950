import Hummingbird
import HummingbirdCore
import Identity
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An HTTP relay of policy versions: beside the trainer (origin), or anywhere as a cache of other relays.
///
/// Routes: `GET /manifests/latest[?after=N&wait=MS]` (held back until there is a newer version, 204 if there is none in
/// time), `/manifests/v{N}`, `/shards/{sha256}` (ETag, Range), `/health`, `/metrics`.
public final class RelayServer: Service {
    private enum Listening {
        case notYet([CheckedContinuation<Int, any Error>])
        case on(Int)
        case failed(ShardcastError)
    }

    private let configuration: RelayConfiguration
    private let logger: Logger
    private let source: any WeightSource
    private let upstreams: UpstreamSet?
    private let metrics = RelayMetrics()
    private let listening = Mutex(Listening.notYet([]))

    /// Prepares a relay; ``run()`` makes it listen.
    ///
    /// - Throws: ``ShardcastError`` if a setting makes no sense or the cache directory cannot be used.
    public init(configuration: RelayConfiguration, logger: Logger) throws(ShardcastError) {
        guard (0...65535).contains(configuration.port) else {
            throw ShardcastError(.invalidConfiguration, "\(configuration.port) is no port: use 0 to 65535.")
        }
        self.configuration = configuration
        self.logger = logger
        let gate = ManifestGate(trust: configuration.trust, run: configuration.run)
        let board = VersionBoard(maximumWaiters: configuration.limits.waiters)
        switch configuration.source {
        case .origin(let directory):
            upstreams = nil
            source = OriginSource(
                directory: directory, gate: gate, board: board, poll: configuration.originPoll, logger: logger)
        case .upstreams(let addresses, let cache):
            let cacheSource = try CacheSource(
                addresses: addresses, directory: cache, gate: gate, board: board, configuration: configuration,
                logger: logger)
            upstreams = cacheSource.upstreams
            source = cacheSource
        }
    }

    /// The port that the relay listens on, as soon as it does.
    ///
    /// - Throws: ``ShardcastError`` of kind `portInUse` or `invalidConfiguration` if it never will.
    public func listeningPort() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let known: Result<Int, ShardcastError>? = listening.withLock { listening in
                switch listening {
                case .notYet(let waiting):
                    listening = .notYet(waiting + [continuation])
                    return nil
                case .on(let port): return .success(port)
                case .failed(let error): return .failure(error)
                }
            }
            if let known { continuation.resume(with: known.mapError { $0 as any Error }) }
        }
    }

    /// Serves until the service group shuts down gracefully or the task is cancelled.
    ///
    /// - Throws: ``ShardcastError`` of kind `portInUse` or `invalidConfiguration` if it cannot listen.
    public func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await self.source.run() }
                    group.addTask { try await self.application().run() }
                    defer { group.cancelAll() }
                    // The watcher only ends by cancellation, so this is the server.
                    try await group.next()
                }
            } onGracefulShutdown: {
                // Standing long polls would hold the shutdown up for as long as they may stand.
                self.source.board.close()
            }
            settle(.failed(ShardcastError(.shutDown, "The relay was shut down.")))
        } catch {
            let explained = explain(error)
            settle(.failed(explained))
            throw explained
        }
    }

    private func application() -> Application<RelayResponder> {
        let limits = configuration.limits
        // A connection that is being served holds a socket and a shard; the rest of the process needs some as well.
        let openFiles = OpenFileLimit.raise(to: limits.connections * 2 + 256)
        let connections = max(min(limits.connections, (openFiles - 256) / 2), 16)
        let census = ConnectionCensus(maximum: limits.connectionsPerAddress)
        let (metrics, board, upstreams) = (metrics, source.board, upstreams)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionGuard(census: census, metrics: metrics, board: board, limits: limits)
            ],
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 100)
        )
        let allowance = ClientAllowance(
            .init(
                requestsPerSecond: limits.requestsPerSecond, burst: limits.requestBurst,
                bytesPerSecond: Double(limits.bytesPerSecond)))
        return Application(
            responder: RelayResponder(
                source: source, metrics: metrics, allowance: allowance, tokens: configuration.tokens,
                longestWait: limits.longestWait,
                bytesReceived: { upstreams?.bytesReceived }, logger: logger),
            server: .forgivingHTTP1(channel),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), serverName: "apus-relay",
                availableConnectionsDelegate: .maximum(connections, logger: logger)),
            onServerRunning: { channel in
                self.settle(.on(channel.localAddress?.port ?? self.configuration.port))
            },
            logger: logger)
    }

    private func settle(_ outcome: Listening) {
        let waiting: [CheckedContinuation<Int, any Error>] = listening.withLock { listening in
            defer { listening = outcome }
            if case .notYet(let waiting) = listening { return waiting }
            return []
        }
        for continuation in waiting {
            switch outcome {
            case .on(let port): continuation.resume(returning: port)
            case .failed(let error): continuation.resume(throwing: error)
            case .notYet: continuation.resume(throwing: ShardcastError(.shutDown, "The relay was shut down."))
            }
        }
    }

    private func explain(_ error: any Error) -> ShardcastError {
        if let error = error as? ShardcastError { return error }
        let place = "\(configuration.host):\(configuration.port)"
        if let error = error as? IOError, error.errnoCode == EADDRINUSE {
            return ShardcastError(
                .portInUse,
                "The relay cannot listen on \(place), because another program does: stop it, or use another port.")
        }
        if error is CancellationError { return ShardcastError(.shutDown, "The relay was stopped.") }
        return ShardcastError(.invalidConfiguration, "The relay cannot listen on \(place): \(error).")
    }
}
