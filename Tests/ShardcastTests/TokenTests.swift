import Foundation
import Identity
import NIOCore
import Testing

@testable import Shardcast

/// Relays that ask for a token, and what happens to those who guess, flood or have no patience.
@Suite(.serialized) struct TokenTests {
    private let token = "correct-horse-battery"

    private func bearer(_ text: String) -> [(String, String)] { [("Authorization", "Bearer \(text)")] }

    @Test func onlyThoseWithATokenAreServed() async throws {
        let lab = try Lab()
        let manifest = try lab.publish(1)
        let tokens = JoinTokens([try JoinToken("an-older-token-1"), try JoinToken(token)])
        let relay = try await lab.relay { $0.tokens = tokens }
        try await eventually { try await get("\(relay.url)/health").text.contains("\"version\":1") }
        let shard = "\(relay.url)/shards/\(manifest.shards[2].sha256.hex)"
        for url in ["\(relay.url)/manifests/latest", "\(relay.url)/manifests/v1", shard, "\(relay.url)/metrics"] {
            let refused = try await get(url)
            #expect(refused.status == 401 && refused.headers.first(name: "www-authenticate") == "Bearer")
            #expect(try await get(url, headers: bearer(token + "x")).status == 401)
            #expect(try await get(url, headers: bearer("")).status == 401)
            #expect(try await get(url, headers: [("Authorization", token)]).status == 401)
            #expect(try await get(url, headers: bearer(String(repeating: "a", count: 5000))).status == 401)
            #expect(try await get(url, headers: bearer(token)).status == 200)
            #expect(try await get(url, headers: bearer("an-older-token-1")).status == 200)
        }
        // No cache in front may hand it to others.
        let answer = try await get(shard, headers: bearer(token))
        #expect(answer.headers.first(name: "cache-control") == "private, max-age=31536000, immutable")
        try await relay.stop()
    }

    @Test func clientsAndRelaysCarryTheToken() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let tokens = JoinTokens([try JoinToken(token)])
        let relay = try await lab.relay { $0.tokens = tokens }
        let guarded = relay.url.replacing("http://", with: "http://\(token)@")
        let cache = try await lab.cachingRelay(upstreams: [guarded]) { $0.tokens = tokens }
        let client = try lab.client(cache.url.replacing("http://", with: "http://\(token)@"))
        _ = try await client.waitForVersion(after: nil, timeout: .seconds(60))
        _ = try await client.fetch(version: 1)
        await client.shutDown()
        // Without it the sentence says what to do, at once.
        let stranger = try lab.client(cache.url, directory: "stranger")
        do {
            _ = try await stranger.fetch(version: 1, timeout: .seconds(60))
            Issue.record("served without a token")
        } catch {
            #expect(error.kind == .unauthorized && error.message.contains("token"))
        }
        await stranger.shutDown()
        for relay in [cache, relay] { try await relay.stop() }
    }

    @Test func guessesAreExpensive() async throws {
        let lab = try Lab()
        let tokens = JoinTokens([try JoinToken(token)])
        let relay = try await lab.relay {
            $0.tokens = tokens
            $0.limits.requestsPerSecond = 0.001
            $0.limits.requestBurst = 100
        }
        var statuses: [Int] = []
        for guess in 0..<12 {
            statuses.append(
                try await get("\(relay.url)/manifests/latest", headers: bearer("guess-number-\(guess)-long")).status)
        }
        #expect(statuses.prefix(4).allSatisfy { $0 == 401 } && statuses.suffix(4).allSatisfy { $0 == 429 })
        // Also for the right one, from there: nobody learns which it was.
        #expect(try await get("\(relay.url)/manifests/latest", headers: bearer(token)).status == 429)
        try await relay.stop()
    }

    @Test func floodsOfRequestsAreAnsweredBriefly() async throws {
        let lab = try Lab()
        let relay = try await lab.relay {
            $0.limits.requestsPerSecond = 0.001
            $0.limits.requestBurst = 5
        }
        var statuses: [Int] = []
        for _ in 0..<8 { statuses.append(try await get("\(relay.url)/health").status) }
        #expect(statuses == [200, 200, 200, 200, 200, 429, 429, 429])
        #expect(try await get("\(relay.url)/health").headers.first(name: "retry-after") == "1")
        try await relay.stop()
    }

    @Test func connectionsThatNeverAskAreCut() async throws {
        let lab = try Lab()
        let relay = try await lab.relay { $0.limits.firstRequestTimeout = .milliseconds(200) }
        let (_, silentIsClosed) = try await raw(port: relay.port, [])
        #expect(silentIsClosed)
        let drips = Array("GET /health HTTP/1.1\r\nHost: x\r\nX: y".utf8).map { [$0] }
        let (text, trickleIsClosed) = try await raw(port: relay.port, drips, pause: .milliseconds(30))
        #expect(trickleIsClosed && !text.contains("200"))
        // One that asked in time may stay idle.
        let kept = try PlainSocket(port: relay.port)
        kept.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect((try await kept.receive()).hasPrefix("HTTP/1.1 200"))
        try await Task.sleep(for: .milliseconds(400))
        kept.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect((try await kept.receive()).hasPrefix("HTTP/1.1 200"))
        try await relay.stop()
    }

    @Test func manyRangesAreOneWhole() async throws {
        let lab = try Lab()
        let manifest = try lab.publish(1)
        let relay = try await lab.relay()
        let shard = manifest.shards[2]
        let ranges = "bytes=" + (0..<1000).map { "\($0)-" }.joined(separator: ",")
        let answer = try await get("\(relay.url)/shards/\(shard.sha256.hex)", headers: [("Range", ranges)])
        #expect(answer.status == 200 && UInt64(answer.body.count) == shard.bytes)
        try await relay.stop()
    }

    @Test func tokenFilesAreReadStrictly() throws {
        let scratch = try Scratch()
        func read(_ text: String) throws -> [JoinToken] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: scratch("tokens")))
            return try JoinTokens.tokens(inFile: scratch("tokens"))
        }
        #expect(
            try read("# for the lab\n\(token)\n\n  another-token-of-some-length  # Ann\r\n").map(\.text) == [
                token, "another-token-of-some-length",
            ])
        for text in [
            "", "# nothing\n", "short\n", "\(token)\nwith blanks inside it\u{7}\n",
            String(repeating: "a", count: 300_000),
        ] {
            #expect(throws: ShardcastError.self, "\(text.prefix(20))") { try read(text) }
        }
        #expect(throws: ShardcastError.self) { try JoinTokens.tokens(inFile: scratch("none")) }
    }

    @Test func clientsAreCountedByNetwork() throws {
        func name(_ text: String) throws -> String { ClientName.of(try SocketAddress(ipAddress: text, port: 1)) }
        #expect(try name("192.0.2.7") == "192.0.2.7")
        #expect(try name("::ffff:192.0.2.7") == "192.0.2.7")
        #expect(try name("2001:db8:1:2:3:4:5:6") == name("2001:db8:1:2::9"))
        #expect(try name("2001:db8:1:2::9") != name("2001:db8:1:3::9"))
        #expect(ClientName.of(nil) == "local")
    }
}
