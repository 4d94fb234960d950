import Foundation
import Identity
import Synchronization
import Testing

@testable import Shardcast

private final class Counts: Sendable {
    private let state = Mutex((runs: 0, running: 0, most: 0))

    var runs: Int { state.withLock { $0.runs } }
    var most: Int { state.withLock { $0.most } }

    func begin() {
        state.withLock {
            $0.runs += 1
            $0.running += 1
            $0.most = max($0.most, $0.running)
        }
    }

    func end() { state.withLock { $0.running -= 1 } }
}

@Suite struct ExchangeTests {
    @Test func addressesAreHTTPAndNothingElse() throws {
        #expect(try UpstreamAddress("http://127.0.0.1:80/").description == "http://127.0.0.1:80")
        #expect(try UpstreamAddress("https://relay.example/weights//").description == "https://relay.example/weights")
        #expect(try UpstreamAddress.list("http://a:1, http://b:2,http://a:1").count == 2)
        let token = "0123456789abcdef"
        let guarded = try UpstreamAddress("https://\(token)@relay.example:8443/w/")
        #expect(guarded.description == "https://relay.example:8443/w" && guarded.token?.text == token)
        #expect(!"\(guarded)".contains(token) && !"\(guarded.token as Any)".contains(token))
        let other = try JoinToken("another-token-of-some-length")
        #expect(try UpstreamAddress("http://a").showing(other).token == other)
        #expect(guarded.showing(other).token?.text == token)
        for text in [
            "http://short@a", "http://\(token):p@a", "http://\(token)@", "http://with%20blank-and-length@a", "", "a:1",
            "ftp://a", "http://", "http://u:p@a", "http://a/?x=1", "http://a/#f", "file:///etc/passwd",
            "http://a b",
        ] {
            #expect(throws: ShardcastError.self, "\(text)") { try UpstreamAddress(text) }
        }
        #expect(throws: ShardcastError.self) { try UpstreamAddress.list("http://a:1,,http://b:2") }
    }

    @Test func singleFlightRunsOnceAndAnAbandonedOneLandsBeforeTheNextStarts() async throws {
        let flights = SingleFlight<Int, Int>()
        let counts = Counts()
        let operation: @Sendable () async throws -> Int = {
            counts.begin()
            defer { counts.end() }
            // Does not listen to cancellation for a while, as a write to a disk does not.
            await Task { try? await Task.sleep(for: .milliseconds(30)) }.value
            try Task.checkCancellation()
            return 7
        }
        let all = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { try await flights.run(1, operation) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(all == Array(repeating: 7, count: 10) && counts.runs == 1)
        let abandoned = Task { try await flights.run(1, operation) }
        try await Task.sleep(for: .milliseconds(5))
        abandoned.cancel()
        try await Task.sleep(for: .milliseconds(2))
        let again = try await flights.run(1, operation)
        #expect(again == 7)
        #expect(counts.most == 1)
    }

    @Test func boardWakesThoseWhomAVersionConcerns() async throws {
        let board = VersionBoard(maximumWaiters: 2)
        let key = SigningKey()
        func signed(_ version: UInt64) throws -> SignedManifest {
            try SignedManifest(signing: ManifestTests.manifest(version: version), with: key)
        }
        func version(_ answer: VersionBoard.Answer) -> UInt64? {
            if case .newer(let signed) = answer { signed.manifest.version } else { nil }
        }
        #expect(version(await board.newer(than: nil, within: .milliseconds(5))) == nil)
        async let first = board.newer(than: nil, within: .seconds(60))
        async let later = board.newer(than: 4, within: .seconds(60))
        try await eventually { board.waiterCount == 2 }
        if case .tooManyWaiters = await board.newer(than: 4, within: .seconds(60)) {
        } else {
            Issue.record("a third waiter")
        }
        #expect(board.publish(try signed(3)))
        #expect(version(await first) == 3)
        #expect(board.waiterCount == 1)
        for old: UInt64 in [3, 2] {
            let isNews = board.publish(try signed(old))
            #expect(!isNews)
        }
        #expect(board.publish(try signed(5)))
        #expect(version(await later) == 5)
        let waiting = Task { await board.newer(than: 5, within: nil) }
        try await eventually { board.waiterCount == 1 }
        waiting.cancel()
        #expect(version(await waiting.value) == nil)
        #expect(board.waiterCount == 0)
        board.close()
        #expect(version(await board.newer(than: 5, within: .seconds(60))) == nil)
    }

    @Test func stalledOperationsEndAndMovingOnesDoNot() async throws {
        await #expect(throws: StalledError.self) {
            try await withStallLimit(.milliseconds(20), total: .seconds(60)) { _ in
                try await Task.sleep(for: .seconds(60))
            }
        }
        await #expect(throws: StalledError.self) {
            try await withStallLimit(.seconds(60), total: .milliseconds(20)) { mark in
                while true {
                    mark.touch()
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
        }
        let value = try await withStallLimit(.seconds(60), total: .seconds(60)) { _ in 3 }
        #expect(value == 3)
    }

    @Test func targetsAreIntegersAndHashesOnly() {
        let name = hash("x").hex
        #expect(RelayTarget(path: "/shards/\(name)") == .shard(hash("x")))
        #expect(RelayTarget(path: "/manifests/v17") == .manifest(17))
        #expect(RelayTarget(path: "/manifests/latest") == .latest(after: nil, waitMilliseconds: nil))
        #expect(RelayTarget(path: "/manifests/latest?wait=5&after=9&x=y") == .latest(after: 9, waitMilliseconds: 5))
        #expect(RelayTarget(path: "/health?x") == .health)
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("/v0123456789abcdefx?=&%.-+latest manifests shards\u{0}é")
        for _ in 0..<20_000 {
            let tail = String(
                (0..<Int.random(in: 0...70, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "/" })
            for prefix in ["", "/manifests/", "/shards/", "/manifests/latest?"] { _ = RelayTarget(path: prefix + tail) }
        }
    }
}
