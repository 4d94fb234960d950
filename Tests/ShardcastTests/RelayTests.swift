import Foundation
import Identity
import Testing

@testable import Shardcast

/// The relay as HTTP clients see it, friendly or not.
@Suite(.serialized) struct RelayTests {
    @Test func routesAnswerAsTheContractSays() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        #expect(try await get("\(relay.url)/manifests/latest").status == 404)
        #expect(try await get("\(relay.url)/health").text.contains("\"version\":null"))
        let manifest = try lab.publish(1)
        let latest = try await get("\(relay.url)/manifests/latest?wait=60000")
        #expect(latest.status == 200 && latest.headers.first(name: "cache-control") == "no-cache")
        #expect(latest.body == contents(lab.scratch("origin/manifests/latest")))
        let numbered = try await get("\(relay.url)/manifests/v1")
        #expect(numbered.body == latest.body)
        #expect(numbered.headers.first(name: "cache-control")?.contains("immutable") == true)
        let tag = try #require(numbered.headers.first(name: "etag"))
        #expect(try await get("\(relay.url)/manifests/v1", headers: [("If-None-Match", tag)]).status == 304)
        #expect(try await get("\(relay.url)/manifests/latest?after=1").status == 204)
        #expect(try await get("\(relay.url)/manifests/latest?after=0").status == 200)
        let shard = manifest.shards[2]
        let whole = try await get("\(relay.url)/shards/\(shard.sha256.hex)")
        #expect(whole.status == 200 && SHA256.hash(whole.body) == shard.sha256)
        let head = try await get("\(relay.url)/shards/\(shard.sha256.hex)", method: .HEAD)
        #expect(
            head.status == 200 && head.headers.first(name: "content-length") == "\(shard.bytes)" && head.body.isEmpty)
        #expect(try await get("\(relay.url)/health").text.contains("\"status\":\"ok\",\"version\":1"))
        let metrics = try await get("\(relay.url)/metrics").text
        #expect(metrics.contains("apus_relay_requests_total{route=\"shard\",status=\"200\"} 2"))
        #expect(metrics.contains("\napus_relay_version 1\n"))
        try await relay.stop()
    }

    @Test func rangesAreServedAndRefusedCleanly() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let manifest = try lab.publish(1, bytes: 900_000)
        _ = try await get("\(relay.url)/manifests/latest?wait=60000")
        let shard = try #require(manifest.files.last?.shards.first)
        let url = "\(relay.url)/shards/\(shard.sha256.hex)"
        let all = try await get(url).body
        let tag = "\"\(shard.sha256.hex)\""
        let part = try await get(url, headers: [("Range", "bytes=10-19")])
        #expect(part.status == 206 && part.body == Array(all[10...19]))
        #expect(part.headers.first(name: "content-range") == "bytes 10-19/\(shard.bytes)")
        #expect(try await get(url, headers: [("Range", "bytes=-5")]).body == all.suffix(5))
        #expect(try await get(url, headers: [("Range", "bytes=\(shard.bytes - 3)-")]).body == all.suffix(3))
        #expect(try await get(url, headers: [("Range", "bytes=5-9999999999")]).body == Array(all[5...]))
        let beyond = try await get(url, headers: [("Range", "bytes=\(shard.bytes)-")])
        #expect(beyond.status == 416 && beyond.headers.first(name: "content-range") == "bytes */\(shard.bytes)")
        #expect(try await get(url, headers: [("Range", "bytes=9-5")]).status == 200)
        #expect(try await get(url, headers: [("Range", "bytes=0-1"), ("If-Range", "\"other\"")]).status == 200)
        #expect(try await get(url, headers: [("Range", "bytes=0-1"), ("If-Range", tag)]).status == 206)
        #expect(try await get(url, headers: [("If-None-Match", tag)]).status == 304)
        try await relay.stop()
    }

    @Test func byteRangesFollowTheRFC() {
        #expect(ByteRange(header: nil, length: 10) == .whole)
        #expect(ByteRange(header: "bytes=0-0", length: 10) == .part(0..<1))
        #expect(ByteRange(header: "bytes=0-", length: 10) == .part(0..<10))
        #expect(ByteRange(header: "bytes=-3", length: 10) == .part(7..<10))
        #expect(ByteRange(header: "bytes=-30", length: 10) == .part(0..<10))
        #expect(ByteRange(header: "bytes=-0", length: 10) == .unsatisfiable)
        #expect(ByteRange(header: "bytes=10-", length: 10) == .unsatisfiable)
        #expect(ByteRange(header: "bytes=3-999999999999999999", length: 10) == .part(3..<10))
        for odd in [
            "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "items=0-1", "bytes=9999999999999999999999-",
            "bytes=+1-2",
        ] {
            #expect(ByteRange(header: odd, length: 10) == .whole)
        }
    }

    @Test func nothingOutsideTheFormatIsReachable() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        try lab.publish(1)
        _ = try await get("\(relay.url)/manifests/latest?wait=60000")
        try Data("secret".utf8).write(to: URL(fileURLWithPath: lab.scratch("secret")))
        let upper = try #require(try lab.origin.manifest(1)).shards[2].sha256.hex.uppercased()
        for path in [
            "/shards/../../secret", "/shards/..%2f..%2fsecret", "/manifests/../../secret", "/manifests/../.lock",
            "/.lock",
            "//etc/passwd", "/shards/", "/shards/\(String(repeating: "0", count: 63))", "/shards/\(upper)",
            "/manifests/v01",
            "/manifests/v-1", "/manifests/v1/", "/manifests/v99999999999999999999999", "/manifests/v1%00",
            "/manifests/",
            "/manifests/latest?after=-1", "/manifests/latest?wait=x", "/", "/shards", "http://127.0.0.1/secret", "*",
            "/shards/\(String(repeating: "é", count: 32))", "/health/", "/\(String(repeating: "a", count: 4000))",
        ] {
            let (text, _) = try await raw(
                port: relay.port, [Array("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)])
            let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            #expect((400...405).contains(status), "\(path) gave \(text.prefix(60))")
            #expect(!text.contains("secret"))
        }
        #expect(try await get("\(relay.url)/manifests/v1", method: .POST).status == 405)
        #expect(try await get("\(relay.url)/health", method: .DELETE).headers.first(name: "allow") == "GET, HEAD")
        try await relay.stop()
    }

    @Test func linksAreNotFollowed() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        try lab.publish(1)
        _ = try await get("\(relay.url)/manifests/latest?wait=60000")
        let name = hash("link").hex
        try FileManager.default.createSymbolicLink(
            atPath: lab.scratch("origin/shards/\(name)"), withDestinationPath: "/etc/hostname")
        #expect(try await get("\(relay.url)/shards/\(name)").status == 503)
        try await relay.stop()
    }

    @Test func badRequestsEndInFourHundredsOrAClosedConnection() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let huge = String(repeating: "x", count: 40_000)
        for (request, expected) in [
            ("GET /health HTTP/1.1\r\nHost: x\r\nX-Big: \(huge)\r\n\r\n", "400"),
            ("GET /\(huge) HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
            ("not http at all\r\n\r\n", "400"),
            ("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", "413"),
            ("POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "413"),
        ] {
            let (text, isClosed) = try await raw(port: relay.port, [Array(request.utf8)])
            #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 \(expected)"), "\(request.prefix(30)): \(text.prefix(60))")
            #expect(isClosed)
        }
        #expect(try await get("\(relay.url)/health").status == 200)
        try await relay.stop()
    }

    @Test func slowAndIdleConnectionsAreCut() async throws {
        let lab = try Lab()
        let relay = try await lab.relay { $0.limits.idleTimeout = .milliseconds(400) }
        let (_, silentIsClosed) = try await raw(port: relay.port, [])
        #expect(silentIsClosed)
        let drips =
            Array("GET /health HTTP/1.1\r\nHost: x\r\nX: ".utf8).map { [$0] } + Array(repeating: [120], count: 100)
        let (text, trickleIsClosed) = try await raw(port: relay.port, drips, pause: .milliseconds(20))
        #expect(trickleIsClosed && !text.contains("200"))
        #expect(try await get("\(relay.url)/health").status == 200)
        try await relay.stop()
    }

    @Test func clientThatDoesNotReadIsCut() async throws {
        let lab = try Lab()
        let relay = try await lab.relay { $0.limits.stallTimeout = .milliseconds(200) }
        let manifest = try lab.publish(1, bytes: 16 << 20)
        let shard = try #require(manifest.files.last?.shards.first)
        let socket = try PlainSocket(port: relay.port)
        // Together more than the kernel's buffers take.
        for _ in 0..<40 { socket.send("GET /shards/\(shard.sha256.hex) HTTP/1.1\r\nHost: x\r\n\r\n") }
        try await eventually {
            try await get("\(relay.url)/metrics").text.contains("apus_relay_cut_connections_total 1")
        }
        withExtendedLifetime(socket) {}
        try await relay.stop()
    }

    @Test func connectionsPerAddressAreLimited() async throws {
        let lab = try Lab()
        let relay = try await lab.relay { $0.limits.connectionsPerAddress = 2 }
        let held = try (0..<2).map { _ in try PlainSocket(port: relay.port) }
        for socket in held {
            socket.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect((try await socket.receive()).hasPrefix("HTTP/1.1"))
        }
        let third = try PlainSocket(port: relay.port)
        third.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect((try await third.receive()).isEmpty)
        // Without this the optimizer may close them as soon as they have answered.
        withExtendedLifetime(held) {}
        try await relay.stop()
    }

    @Test func waitersAreBoundedAndLeaveWithTheirConnection() async throws {
        let lab = try Lab()
        let relay = try await lab.relay { $0.limits.waiters = 2 }
        try lab.publish(1)
        _ = try await get("\(relay.url)/manifests/latest?wait=60000")
        let waiting = try (0..<2).map { _ in try PlainSocket(port: relay.port) }
        for socket in waiting { socket.send("GET /manifests/latest?after=1&wait=60000 HTTP/1.1\r\nHost: x\r\n\r\n") }
        try await eventually { try await get("\(relay.url)/metrics").text.contains("apus_relay_waiters 2") }
        #expect(try await get("\(relay.url)/manifests/latest?after=1&wait=60000").status == 503)
        waiting[0].close()
        try await eventually { try await get("\(relay.url)/metrics").text.contains("apus_relay_waiters 1") }
        try lab.publish(2)
        #expect((try await waiting[1].receive()).hasPrefix("HTTP/1.1 200"))
        withExtendedLifetime(waiting) {}
        try await relay.stop()
    }

    @Test func shutdownDoesNotWaitForStandingPolls() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        async let news = kind { _ = try await client.waitForVersion(after: nil, timeout: .seconds(1)) }
        try await Task.sleep(for: .milliseconds(100))
        try await relay.stop()
        #expect(await news != nil)
        await client.shutDown()
    }

    /// Connections that arrive while a server stops once ended the process.
    @Test func stoppingWhileManyConnectIsNoCrash() async throws {
        let lab = try Lab()
        try lab.publish(1)
        for round in 0..<10 {
            let relay = try await lab.relay()
            let knocking = Task {
                for _ in 0..<200 {
                    if Task.isCancelled { return }
                    (try? PlainSocket(port: relay.port))?.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                    await Task.yield()
                }
            }
            try await Task.sleep(for: .milliseconds(3))
            // Half of them gracefully, half by cancellation.
            if round % 2 == 0 { try await relay.stop() } else { await relay.cancel() }
            knocking.cancel()
            await knocking.value
        }
    }

    @Test func portInUseIsNamed() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let second = try RelayServer(
            configuration: RelayConfiguration(
                port: relay.port, source: .origin(directory: lab.scratch("origin")), trust: lab.key.publicKey),
            logger: quiet)
        do {
            try await second.run()
            Issue.record("two relays on one port")
        } catch {
            #expect((error as? ShardcastError)?.kind == .portInUse)
            #expect("\(error)".contains("\(relay.port)"))
        }
        #expect(await kind { _ = try await second.listeningPort() } == .portInUse)
        try await relay.stop()
    }

    @Test func anOriginIsLookedAtLessOftenWhileNothingChanges() {
        func interval(_ quiet: Duration) -> Duration {
            OriginSource.interval(after: quiet, shortest: .milliseconds(4))
        }
        #expect(interval(.zero) == .milliseconds(4) && interval(.seconds(1)) == .milliseconds(4))
        #expect(interval(.seconds(32)) == .milliseconds(125))
        #expect(interval(.seconds(3600)) == .milliseconds(250))
    }

    @Test func relayDoesNotServeWhatItsKeyDidNotSign() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let relay = try await lab.relay { $0.trust = SigningKey().publicKey }
        try await eventually { try await get("\(relay.url)/health").text.contains("wrongKey") }
        #expect(try await get("\(relay.url)/manifests/latest").status == 404)
        try await relay.stop()
    }

    @Test func unknownShardsNeverReachTheUpstream() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let origin = try await lab.relay()
        let cache = try await lab.cachingRelay(upstreams: [origin.url])
        _ = try await get("\(cache.url)/manifests/latest?wait=60000")
        for index in 0..<5 { #expect(try await get("\(cache.url)/shards/\(hash("\(index)").hex)").status == 404) }
        #expect(try await get("\(cache.url)/manifests/v77").status == 404)
        #expect(!(try await get("\(origin.url)/metrics").text.contains("status=\"404\"")))
        try await cache.stop()
        try await origin.stop()
    }

    @Test func cacheGivesUpOldVersionsAndTheirShards() async throws {
        let lab = try Lab()
        let origin = try await lab.relay()
        let cache = try await lab.cachingRelay(upstreams: [origin.url]) { $0.limits.cachedVersions = 2 }
        let client = try lab.client(cache.url)
        for version: UInt64 in 1...5 {
            try lab.publish(version)
            _ = try await client.waitForVersion(after: version - 1, timeout: .seconds(60))
            _ = try await client.fetch(version: version)
        }
        let manifests = try FileManager.default.contentsOfDirectory(atPath: lab.scratch("cache/manifests")).sorted()
        #expect(manifests == ["latest", "v4", "v5"])
        // Two versions of three shards each, and the two small files that all versions share.
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.scratch("cache/shards")).count == 8)
        await client.shutDown()
        try await cache.stop()
        try await origin.stop()
    }
}

func eventually(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<1500 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("it never happened")
}
