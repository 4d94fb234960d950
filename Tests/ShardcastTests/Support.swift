import Foundation
import Hummingbird
import HummingbirdCore
import Identity
import Logging
import ServiceLifecycle

@testable import Shardcast

/// A directory that goes away with its owner.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("apus-shardcast-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Bytes that look random and are the same in every run.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
}

func hash(_ text: String) -> Hash256 { SHA256.hash(Array(text.utf8)) }

/// A run with its key and its origin directory.
struct Lab: Sendable {
    let scratch: Scratch
    let run: Hash256
    let key: SigningKey
    let origin: OriginDirectory

    init(run: String = "run", key: SigningKey = SigningKey()) throws {
        scratch = try Scratch()
        self.run = hash(run)
        self.key = key
        origin = try OriginDirectory(path: scratch("origin"), run: self.run, key: key)
    }

    static func files(_ version: UInt64, bytes: Int = 164_000) -> [PublishedFile] {
        [
            PublishedFile(name: "config.json", contents: .bytes(Array("{\"model_type\":\"qwen3\"}".utf8))),
            PublishedFile(name: "generation_config.json", contents: .bytes(Array("{\"eos_token_id\":10}".utf8))),
            PublishedFile(name: "model.safetensors", contents: .bytes(noise(bytes, seed: version))),
        ]
    }

    @discardableResult
    func publish(_ version: UInt64, bytes: Int = 164_000) throws -> Manifest {
        try origin.publish(
            files: Self.files(version, bytes: bytes), version: version, step: version,
            weightsHash: hash("weights \(version)"))
    }

    func relay(_ change: (inout RelayConfiguration) -> Void = { _ in }) async throws -> RunningRelay {
        var configuration = RelayConfiguration(
            source: .origin(directory: scratch("origin")), trust: key.publicKey, run: run)
        change(&configuration)
        return try await RunningRelay(configuration)
    }

    func cachingRelay(
        _ name: String = "cache", upstreams: [String], _ change: (inout RelayConfiguration) -> Void = { _ in }
    ) async throws -> RunningRelay {
        var configuration = RelayConfiguration(
            source: .upstreams(try upstreams.map { try UpstreamAddress($0) }, cache: scratch(name)),
            trust: key.publicKey,
            run: run)
        change(&configuration)
        return try await RunningRelay(configuration)
    }

    func client(
        _ upstreams: String..., directory: String = "client", trust: PublicKey? = nil, run: Hash256? = nil,
        _ change: (inout WeightClientConfiguration) -> Void = { _ in }
    ) throws -> WeightClient {
        var configuration = WeightClientConfiguration(
            upstreams: try upstreams.map { try UpstreamAddress($0) }, trust: trust ?? key.publicKey,
            run: run ?? self.run,
            directory: scratch(directory))
        configuration.missingPatience = .milliseconds(200)
        change(&configuration)
        return try WeightClient(configuration: configuration, logger: quiet)
    }
}

/// A relay that listens on a free port until `stop()`.
final class RunningRelay: Sendable {
    let server: RelayServer
    let port: Int
    private let task: Task<Void, any Error>
    private let trigger: AsyncStream<Void>.Continuation

    init(_ configuration: RelayConfiguration) async throws {
        let server = try RelayServer(configuration: configuration, logger: quiet)
        self.server = server
        let (stopping, trigger) = AsyncStream.makeStream(of: Void.self)
        self.trigger = trigger
        task = Task {
            let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: quiet))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                tasks.addTask {
                    for await _ in stopping {}
                    await group.triggerGracefulShutdown()
                }
                try await tasks.waitForAll()
            }
        }
        port = try await server.listeningPort()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    func cancel() async {
        task.cancel()
        _ = await task.result
    }

    func stop() async throws {
        trigger.finish()
        try await task.value
    }
}

/// A server that answers as a test wants it to.
final class HostileServer: Sendable {
    let port: Int
    private let task: Task<Void, any Error>

    init(_ answer: @escaping @Sendable (String) async throws -> Response?) async throws {
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            responder: CallbackResponder<RelayContext> { request, _ in
                try await answer(request.head.path ?? "") ?? Response(status: .notFound)
            },
            server: .forgivingHTTP1(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { announce.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        task = Task { try await application.run() }
        var iterator = ports.makeAsyncIterator()
        port = await iterator.next() ?? 0
    }

    var url: String { "http://127.0.0.1:\(port)" }

    deinit { task.cancel() }
}

/// The relay's directory served by a hostile hand: `tamper` may replace the body of any path.
func hostileCopy(
    of lab: Lab, _ tamper: @escaping @Sendable (_ path: String, _ body: [UInt8]) async throws -> [UInt8]?
) async throws -> HostileServer {
    let root = lab.scratch("origin")
    return try await HostileServer { target in
        let path = String(target.prefix { $0 != "?" })
        guard let data = FileManager.default.contents(atPath: root + path) else { return nil }
        guard let body = try await tamper(path, Array(data)) else { return nil }
        return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }
}

func contents(_ path: String) -> [UInt8] { FileManager.default.contents(atPath: path).map { Array($0) } ?? [] }

func kind(of body: () async throws -> Void) async -> ShardcastError.Kind? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ShardcastError)?.kind
    }
}
