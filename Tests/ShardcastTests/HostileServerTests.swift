import Foundation
import Hummingbird
import Identity
import Synchronization
import Testing

@testable import Shardcast

/// What a client does with servers that lie, break or belong to somebody else.
@Suite(.serialized) struct HostileServerTests {
    private func isLarge(_ path: String, _ body: [UInt8]) -> Bool { path.hasPrefix("/shards/") && body.count > 1000 }

    @Test(arguments: [
        ShardcastError.Kind.corruptShard, .truncatedShard, .oversizedShard,
    ]) func badShardIsRefusedAndNothingIsInstalled(_ expected: ShardcastError.Kind) async throws {
        let lab = try Lab()
        try lab.publish(1)
        let server = try await hostileCopy(of: lab) { path, body in
            guard path.hasPrefix("/shards/"), body.count > 1000 else { return body }
            var body = body
            switch expected {
            case .corruptShard: body[body.count / 2] ^= 1
            case .truncatedShard: body.removeLast(7)
            default: body += [0]
            }
            return body
        }
        let client = try lab.client(server.url)
        #expect(await kind { _ = try await client.fetch(version: 1, timeout: .seconds(60)) } == expected)
        #expect(client.installedVersions.isEmpty)
        await client.shutDown()
    }

    @Test(arguments: [
        ShardcastError.Kind.corruptShard, .truncatedShard, .oversizedShard, .unreachable, .refused, .timedOut,
    ]) func goodServerBesideABadOneSuffices(_ fault: ShardcastError.Kind) async throws {
        let lab = try Lab()
        try lab.publish(1, bytes: 600_000)
        let relay = try await lab.relay()
        let bad = try await hostileCopy(of: lab) { path, body in
            guard path.hasPrefix("/shards/") else { return body }
            switch fault {
            case .corruptShard: return body.map { ~$0 }
            case .truncatedShard: return body.dropLast()
            case .oversizedShard: return body + body
            case .unreachable: throw CancellationError()
            case .timedOut:
                try await Task.sleep(for: .seconds(90))
                return body
            default: return nil
            }
        }
        let client = try lab.client(bad.url, relay.url) {
            if fault == .timedOut { $0.silence = .seconds(1) }
        }
        let fetched = try await client.fetch(version: 1, timeout: .seconds(60))
        #expect(contents("\(fetched.path)/model.safetensors") == noise(600_000, seed: 1))
        await client.shutDown()
        try await relay.stop()
    }

    @Test func endlessBodyIsCutOffWhereTheManifestEnds() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let root = lab.scratch("origin")
        let server = try await HostileServer { path in
            guard path.hasPrefix("/shards/") else {
                return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: contents(root + path))))
            }
            return Response(
                status: .ok,
                body: .init { writer in
                    for _ in 0..<100_000 { try await writer.write(ByteBuffer(repeating: 7, count: 65536)) }
                    try await writer.finish(nil)
                })
        }
        let client = try lab.client(server.url)
        #expect(await kind { _ = try await client.fetch(version: 1, timeout: .seconds(60)) } == .oversizedShard)
        #expect(client.bytesReceived < 64 << 20)
        await client.shutDown()
    }

    @Test func endlessManifestIsCutOff() async throws {
        let lab = try Lab()
        let server = try await HostileServer { _ in
            Response(
                status: .ok,
                body: .init { writer in
                    for _ in 0..<100_000 { try await writer.write(ByteBuffer(repeating: 7, count: 65536)) }
                    try await writer.finish(nil)
                })
        }
        let client = try lab.client(server.url)
        #expect(
            await kind { _ = try await client.waitForVersion(after: nil, timeout: .seconds(60)) } == .malformedManifest)
        #expect(client.bytesReceived < 16 << 20)
        await client.shutDown()
    }

    @Test func wrongKeyIsNamedAtOnce() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let relay = try await lab.relay()
        let client = try lab.client(relay.url, trust: SigningKey().publicKey)
        #expect(await kind { _ = try await client.waitForVersion(after: nil, timeout: .seconds(60)) } == .wrongKey)
        #expect(await kind { _ = try await client.fetch(version: 1) } == .wrongKey)
        await client.shutDown()
        try await relay.stop()
    }

    @Test func anotherRunsManifestIsNamedAtOnce() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let relay = try await lab.relay()
        let client = try lab.client(relay.url, run: hash("another run"))
        do {
            _ = try await client.waitForVersion(after: nil, timeout: .seconds(60))
            Issue.record("a manifest of another run was believed")
        } catch {
            #expect(error.kind == .anotherRun)
            #expect(error.message.contains(lab.run.hex) && error.message.contains(hash("another run").hex))
        }
        await client.shutDown()
        try await relay.stop()
    }

    @Test func replayedOldManifestIsNotNews() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let old = contents(lab.scratch("origin/manifests/latest"))
        let replays = Mutex(false)
        let server = try await hostileCopy(of: lab) { path, body in
            path == "/manifests/latest" && replays.withLock { $0 } ? old : body
        }
        let client = try lab.client(server.url)
        try lab.publish(2)
        #expect(try await client.waitForVersion(after: nil, timeout: .seconds(60)).version == 2)
        _ = try await client.fetch(version: 2)
        replays.withLock { $0 = true }
        try await eventually {
            await kind { _ = try await client.waitForVersion(after: 2, timeout: .milliseconds(10)) } == .wentBackwards
        }
        await client.shutDown()
        // Also after a restart: what is on the disk is the floor.
        let restarted = try lab.client(server.url)
        try await eventually {
            await kind { _ = try await restarted.waitForVersion(after: nil, timeout: .milliseconds(10)) }
                == .wentBackwards
        }
        await restarted.shutDown()
    }

    @Test func firstAnswerIsNotTheNewestForThatReason() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let old = contents(lab.scratch("origin/manifests/latest"))
        let stale = try await hostileCopy(of: lab) { path, body in path == "/manifests/latest" ? old : body }
        let honest = try await hostileCopy(of: lab) { path, body in
            // Behind the one that lags.
            if path == "/manifests/latest" { try await Task.sleep(for: .milliseconds(100)) }
            return body
        }
        try lab.publish(2)
        let client = try lab.client(stale.url, honest.url)
        #expect(try await client.fetchLatest(timeout: .seconds(60)).version == 2)
        await client.shutDown()
    }

    @Test func otherVersionThanAskedForIsRefused() async throws {
        let lab = try Lab()
        try lab.publish(1)
        try lab.publish(2)
        let one = contents(lab.scratch("origin/manifests/v1"))
        let server = try await hostileCopy(of: lab) { path, body in path.hasPrefix("/manifests/") ? one : body }
        let client = try lab.client(server.url)
        #expect(await kind { _ = try await client.fetch(version: 2, timeout: .seconds(60)) } == .wentBackwards)
        await client.shutDown()
    }

    @Test func secondTruthAboutAVersionIsRefused() async throws {
        let lab = try Lab()
        let other = try Lab(key: lab.key)
        try lab.publish(1)
        try other.origin.publish(
            files: Lab.files(9), version: 1, step: 1, weightsHash: hash("other weights"))
        let first = try await lab.relay()
        let second = try await other.relay()
        let client = try lab.client(first.url, second.url)
        _ = try await client.waitForVersion(after: nil, timeout: .seconds(60))
        _ = try await client.fetch(version: 1)
        try await eventually { client.complaints.contains { $0.kind == .conflictingManifest } }
        await client.shutDown()
        try await first.stop()
        try await second.stop()
    }

    @Test func leaseAndManifestMustAgree() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        let wrong = await kind { _ = try await client.fetch(version: 1, weightsHash: hash("leased")) }
        #expect(wrong == .conflictingManifest)
        await client.shutDown()
        try await relay.stop()
    }

    @Test func nobodyThereIsSaidInASentence() async throws {
        // The port of a relay that has stopped could be another test's by now; nobody listens on this one.
        let address = "http://127.0.0.1:1"
        let lab = try Lab()
        let client = try lab.client(address)
        do {
            _ = try await client.fetch(version: 1, timeout: .seconds(1))
            Issue.record("there was nobody to fetch from")
        } catch {
            #expect(error.kind == .unreachable)
            #expect(error.message.contains(address))
        }
        try await eventually {
            await kind { _ = try await client.waitForVersion(after: nil, timeout: .milliseconds(10)) } == .unreachable
        }
        await client.shutDown()
    }

    @Test func versionThatNobodyHasIsMissing() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        #expect(await kind { _ = try await client.fetch(version: 9, timeout: .seconds(60)) } == .versionMissing)
        await client.shutDown()
        try await relay.stop()
    }

    @Test func prunedShardsAreMissingAndTheNewestIsThere() async throws {
        let lab = try Lab()
        for version: UInt64 in 1...4 { try lab.publish(version) }
        let relay = try await lab.relay()
        #expect(try lab.origin.prune(keeping: 2) == [1, 2])
        let client = try lab.client(relay.url)
        #expect(await kind { _ = try await client.fetch(version: 1, timeout: .seconds(60)) } == .versionMissing)
        _ = try await client.fetch(version: 3)
        await client.shutDown()
        try await relay.stop()
    }

    @Test func redirectsAreNotFollowed() async throws {
        let lab = try Lab()
        let target = Mutex(0)
        let inner = try await HostileServer { _ in
            target.withLock { $0 += 1 }
            return nil
        }
        let url = inner.url
        let server = try await HostileServer { _ in Response(status: .found, headers: [.location: url + "/secret"]) }
        let client = try lab.client(server.url)
        #expect(await kind { _ = try await client.fetch(version: 1, timeout: .seconds(1)) } == .refused)
        #expect(target.withLock { $0 } == 0)
        await client.shutDown()
    }

    @Test func badRelayCannotPoisonACache() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let bad = try await hostileCopy(of: lab) { path, body in path.hasPrefix("/shards/") ? body.map { ~$0 } : body }
        let cache = try await lab.cachingRelay(upstreams: [bad.url])
        let client = try lab.client(cache.url) { $0.silence = .seconds(3) }
        _ = try await client.waitForVersion(after: nil, timeout: .seconds(60))
        let answer = try await get(
            "\(cache.url)/shards/\(try #require(try lab.origin.manifest(1)).shards[0].sha256.hex)")
        #expect(answer.status == 503)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.scratch("cache/shards")).isEmpty)
        await client.shutDown()
        try await cache.stop()
    }
}
