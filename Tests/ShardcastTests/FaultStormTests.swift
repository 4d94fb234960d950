import Foundation
import Fuzzing
import Hummingbird
import Identity
import NIOCore
import Synchronization
import Testing

@testable import Shardcast

/// Servers that do anything at all, drawn anew for every request.
@Suite(.serialized) struct FaultStormTests {
    private func moody(_ lab: Lab, seed: UInt64, calm: Double) async throws -> HostileServer {
        let generator = Mutex(FuzzGenerator(seed: seed))
        let root = lab.scratch("origin")
        return try await HostileServer { target in
            let path = String(target.prefix { $0 != "?" })
            guard let data = FileManager.default.contents(atPath: root + path) else { return nil }
            var body = Array(data)
            let (mood, place) = generator.withLock { generator in
                (Double.random(in: 0..<1, using: &generator), Int.random(in: 0..<max(body.count, 1), using: &generator))
            }
            var status = HTTPResponse.Status.ok
            if mood >= calm {
                switch Int((mood - calm) / (1 - calm) * 9) {
                case 0: body[place] ^= 0x20
                case 1: body = Array(body[..<place])
                case 2: body += body
                case 3: status = .serviceUnavailable
                case 4: status = .notFound
                case 5: status = .accepted
                case 6: try await Task.sleep(for: .seconds(30))
                case 7: throw CancellationError()
                default: try await Task.sleep(for: .milliseconds(place % 300))
                }
            }
            let answer = body
            return Response(status: status, body: .init(byteBuffer: ByteBuffer(bytes: answer)))
        }
    }

    /// Whatever happens, a client and a relay end with what was published, or with nothing.
    @Test(.timeLimit(.minutes(5)), arguments: 0..<4 as Range<UInt64>)
    func everythingThatArrivesIsRight(_ seed: UInt64) async throws {
        let lab = try Lab()
        try lab.publish(1, bytes: 1_500_000)
        let servers = [
            try await moody(lab, seed: seed * 3, calm: 0.3), try await moody(lab, seed: seed * 3 + 1, calm: 0.5),
            try await moody(lab, seed: seed * 3 + 2, calm: 0.7),
        ]
        let relay = try await lab.cachingRelay(upstreams: [servers[0].url, servers[2].url])
        let client = try lab.client(servers[0].url, servers[1].url, relay.url) { $0.silence = .seconds(1) }
        do {
            let fetched = try await client.fetch(version: 1, timeout: .seconds(60))
            #expect(contents("\(fetched.path)/model.safetensors") == noise(1_500_000, seed: 1))
        } catch {
            // A manifest that was damaged on its way, three times over, may end it; a wrong version may not.
            #expect(client.installedVersions.isEmpty, "\(error)")
        }
        // What the relay keeps is right as well.
        let shards = lab.scratch("cache/shards")
        for name in try FileManager.default.contentsOfDirectory(atPath: shards) {
            #expect(SHA256.hash(contents("\(shards)/\(name)")).hex == name)
        }
        await client.shutDown()
        await relay.cancel()
        withExtendedLifetime(servers) {}
    }
}
