import AsyncHTTPClient
import Identity
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// One server that manifests and shards come from, and how it has behaved.
///
/// Everything received is bounded by what was asked for, and counted; nothing received is believed here.
final class Upstream: Sendable {
    /// How long a server may be silent, and the least rate that is worth waiting for.
    struct Patience: Sendable {
        var silence: Duration = .seconds(10)
        var bytesPerSecond: UInt64 = 16 << 10

        func total(bytes: UInt64) -> Duration { silence + .seconds(Int64(bytes / bytesPerSecond)) }
    }

    let address: UpstreamAddress
    /// What its shards say about it.
    let score = Mutex(UpstreamScore())
    private let http: HTTPClient
    private let patience: Patience
    private let received = Atomic<UInt64>(0)

    /// What an upstream says to a question.
    enum Reply<Value: Sendable>: Sendable {
        case value(Value)
        /// It does not have it.
        case missing
        /// It is fetching it itself; worth asking again.
        case onItsWay
    }

    init(_ address: UpstreamAddress, http: HTTPClient, patience: Patience) {
        self.address = address
        self.http = http
        self.patience = patience
    }

    /// Bytes of all bodies received, failed transfers included.
    var bytesReceived: UInt64 { received.load(ordering: .relaxed) }

    /// Asks for a manifest newer than a version and lets the server hold the answer back for a while.
    ///
    /// - Returns: The manifest's bytes, or nil if there is nothing (newer).
    func latest(after: UInt64?, wait: Duration) async throws(ShardcastError) -> [UInt8]? {
        let milliseconds = wait.components.seconds * 1000 + wait.components.attoseconds / 1_000_000_000_000_000
        let query = (after.map { "after=\($0)&" } ?? "") + "wait=\(milliseconds)"
        return try await small("/manifests/latest?\(query)", extra: wait)
    }

    /// The manifest of a version; nil if the server does not have it.
    func manifest(_ version: UInt64) async throws(ShardcastError) -> [UInt8]? {
        try await small("/manifests/\(VersionNumber.name(version))", extra: .zero)
    }

    /// Streams a shard and checks it.
    ///
    /// - Parameter consume: Called with consecutive pieces; what it did with them counts only if this call returns a value.
    /// - Throws: ``ShardcastError`` if the shard was truncated, too long or corrupt, or did not come.
    func shard(
        _ shard: Manifest.Shard, _ consume: @escaping @Sendable (UnsafeRawBufferPointer, UInt64) throws -> Void
    ) async throws(ShardcastError) -> Reply<Void> {
        score.withLock { $0.began(at: .now) }
        do throws(ShardcastError) {
            let reply = try await transfer(shard, consume)
            var isSuccess: Bool?
            if case .value = reply { isSuccess = true }
            score.withLock { $0.ended(isSuccess: isSuccess, at: .now) }
            return reply
        } catch {
            // Faults of this machine and transfers that nobody wants any more say nothing about the server.
            let isTheirs = error.consequence != .here
            score.withLock { $0.ended(isSuccess: isTheirs ? false : nil, at: .now) }
            throw error
        }
    }

    private func transfer(
        _ shard: Manifest.Shard, _ consume: @escaping @Sendable (UnsafeRawBufferPointer, UInt64) throws -> Void
    ) async throws(ShardcastError) -> Reply<Void> {
        let begin = ContinuousClock.now
        return try await exchange("/shards/\(shard.sha256.hex)", bytes: shard.bytes, extra: .zero) {
            [self] response, mark in
            switch response.status {
            case .ok: break
            case .notFound: return .missing
            case .accepted: return .onItsWay
            default: throw Self.refusal(response.status, "shard \(shard.sha256.hex)", address)
            }
            score.withLock { $0.answered(after: .now - begin) }
            if let length = response.headers.first(name: "content-length").flatMap({ UInt64($0) }),
                length != shard.bytes
            {
                throw Self.wrongLength(length, shard, address)
            }
            var hasher = SHA256()
            var offset: UInt64 = 0
            for try await chunk in response.body {
                mark.touch()
                self.received.add(UInt64(chunk.readableBytes), ordering: .relaxed)
                guard offset + UInt64(chunk.readableBytes) <= shard.bytes else {
                    throw Self.wrongLength(offset + UInt64(chunk.readableBytes), shard, address)
                }
                score.withLock { $0.moved(chunk.readableBytes) }
                try chunk.withUnsafeReadableBytes { bytes in
                    hasher.update(bytes)
                    try consume(bytes, offset)
                }
                offset += UInt64(chunk.readableBytes)
            }
            try Task.checkCancellation()
            guard offset == shard.bytes else { throw Self.wrongLength(offset, shard, address) }
            guard hasher.finalize() == shard.sha256 else {
                throw ShardcastError(
                    .corruptShard,
                    "\(address): shard \(shard.sha256.hex) arrived with other bytes than its hash says; it was thrown away."
                )
            }
            return .value(())
        }
    }

    private func small(_ path: String, extra: Duration) async throws(ShardcastError) -> [UInt8]? {
        try await exchange(path, bytes: UInt64(ManifestLimits.manifestBytes), extra: extra) {
            [self] response, mark in
            switch response.status {
            case .ok: break
            case .notFound, .noContent: return nil
            default: throw Self.refusal(response.status, path, address)
            }
            var bytes: [UInt8] = []
            for try await chunk in response.body {
                mark.touch()
                self.received.add(UInt64(chunk.readableBytes), ordering: .relaxed)
                guard bytes.count + chunk.readableBytes <= ManifestLimits.manifestBytes else {
                    throw ShardcastError(
                        .malformedManifest,
                        "\(address): the answer to \(path) exceeds \(ManifestLimits.manifestBytes) bytes and was cut off."
                    )
                }
                bytes.append(contentsOf: chunk.readableBytesView)
            }
            try Task.checkCancellation()
            if let length = response.headers.first(name: "content-length").flatMap({ Int($0) }), length != bytes.count {
                throw ShardcastError(
                    .unreachable, "\(address): the answer to \(path) ended after \(bytes.count) of \(length) bytes.")
            }
            return bytes
        }
    }

    private func exchange<Value: Sendable>(
        _ path: String, bytes: UInt64, extra: Duration,
        _ read: @escaping @Sendable (HTTPClientResponse, ProgressMark) async throws -> Value
    ) async throws(ShardcastError) -> Value {
        var request = HTTPClientRequest(url: address.description + path)
        if let token = address.token { request.headers.add(name: "Authorization", value: "Bearer \(token.text)") }
        let prepared = request
        do {
            return try await withStallLimit(patience.silence + extra, total: patience.total(bytes: bytes) + extra) {
                [http] mark in
                // The limit above ends the exchange; this deadline only has to be later.
                let response = try await http.execute(prepared, deadline: .distantFuture)
                mark.touch()
                return try await read(response, mark)
            }
        } catch let error as ShardcastError {
            throw error
        } catch is StalledError {
            throw ShardcastError(
                .timedOut, "\(address) answered too slowly: it was silent, or the connection is very slow.")
        } catch is CancellationError {
            throw ShardcastError(.shutDown, "The transfer from \(address) was cancelled.")
        } catch {
            if Task.isCancelled || error as? HTTPClientError == .cancelled {
                throw ShardcastError(.shutDown, "The transfer from \(address) was cancelled.")
            }
            throw ShardcastError(.unreachable, "\(address) cannot be reached: \(Self.explain(error)).")
        }
    }

    private static func refusal(_ status: HTTPResponseStatus, _ what: String, _ address: UpstreamAddress)
        -> ShardcastError
    {
        switch status {
        case .unauthorized:
            ShardcastError(
                .unauthorized,
                "\(address) serves only those who show its token: ask its operator for one, and give it by --token-file "
                    + "or before the host, as in https://TOKEN@HOST.")
        case .tooManyRequests:
            ShardcastError(.refused, "\(address) was asked too often from this address: it answered 429 to \(what).")
        default: ShardcastError(.refused, "\(address) answered \(status.code) \(status.reasonPhrase) to \(what).")
        }
    }

    private static func wrongLength(_ length: UInt64, _ shard: Manifest.Shard, _ address: UpstreamAddress)
        -> ShardcastError
    {
        length < shard.bytes
            ? ShardcastError(
                .truncatedShard, "\(address): shard \(shard.sha256.hex) ended after \(length) of \(shard.bytes) bytes.")
            : ShardcastError(
                .oversizedShard,
                "\(address): shard \(shard.sha256.hex) is longer than the \(shard.bytes) bytes of the manifest; it was cut off."
            )
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { explain($0.error) } ?? "no address found for \(error.host)"
        case let error as IOError: error.description
        default: "\(error)"
        }
    }
}
