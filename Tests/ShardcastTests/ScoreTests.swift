import Foundation
import Identity
import Synchronization
import Testing

@testable import Shardcast

private final class Passed: Sendable {
    let list = Mutex<[Int]>([])
}

/// How upstreams are judged, when shards are asked for twice, and how many are on their way.
@Suite struct ScoreTests {
    private let begin = ContinuousClock.now

    private func transfer(
        _ score: inout UpstreamScore, _ bytes: Int, from start: Duration, to end: Duration, _ isSuccess: Bool? = true
    ) {
        score.began(at: begin + start)
        score.moved(bytes)
        score.ended(isSuccess: isSuccess, at: begin + end)
    }

    @Test func failuresCountAsFailuresAndAreForgiven() {
        var good = UpstreamScore(now: begin)
        var bad = good
        for second in 0..<10 {
            transfer(&good, 1_000_000, from: .seconds(second), to: .seconds(second + 1))
            // Fails as fast as it can, which must not look like bandwidth.
            transfer(&bad, 0, from: .seconds(second), to: .seconds(second) + .milliseconds(1), false)
        }
        let now = begin + .seconds(10)
        #expect(good.weight(at: now, hope: 1e6) > 10 * bad.weight(at: now, hope: 1e6))
        // Forgiven a little between failures, so it never gets to the bottom.
        #expect(bad.success(at: now) < 0.1 && bad.success(at: now) >= 0.01)
        #expect(bad.success(at: now + .seconds(60)) > 0.45)
        #expect(bad.success(at: now + .seconds(600)) > 0.99)
    }

    @Test func bandwidthIsOfAllTransfersTogether() {
        var score = UpstreamScore(now: begin)
        for index in 0..<4 { score.began(at: begin + .milliseconds(index)) }
        for index in 0..<4 {
            score.moved(1_000_000)
            score.ended(isSuccess: true, at: begin + .seconds(index + 1))
        }
        #expect((0.9e6...1.1e6).contains(score.bandwidth ?? 0))
        // A transfer that somebody cancelled says how fast it was, and nothing about success.
        transfer(&score, 10, from: .seconds(10), to: .seconds(20), nil)
        #expect(score.success(at: begin + .seconds(20)) == 1 && (score.bandwidth ?? 0) < 0.8e6)
        // Neither does a small file, which tells how long a request takes.
        let before = score.bandwidth
        transfer(&score, 100, from: .seconds(30), to: .seconds(30) + .milliseconds(1))
        #expect(score.bandwidth == before)
        score.answered(after: .milliseconds(80))
        score.answered(after: .milliseconds(20))
        score.answered(after: .seconds(5))
        #expect((score.latency ?? .zero) < .milliseconds(22))
    }

    @Test func hedgesComeLateAndCostLittle() {
        var rule = HedgeRule(patience: .seconds(5))
        #expect(rule.delay(bytes: 1_000_000) == .seconds(5))
        for _ in 0..<20 { rule.delivered(1_000_000, in: .seconds(1)) }
        #expect((Duration.seconds(1.9)...Duration.seconds(2.1)).contains(rule.delay(bytes: 1_000_000)))
        #expect(rule.delay(bytes: 10) == .milliseconds(250))
        // A tenth of 20 MB, and one more that may overshoot.
        var copies = 0
        while rule.reserve(1_000_000) { copies += 1 }
        #expect(copies == 3)
        // Copies that cost nothing, because the other had brought nothing, are given back.
        for _ in 0..<3 { rule.settle(1_000_000, wasting: 0) }
        let isAllowedAgain = rule.reserve(1_000_000)
        #expect(isAllowedAgain)
    }

    @Test func pumpKeepsOrderAndFewInFlight() async throws {
        let upstreams = try UpstreamSet(
            [try UpstreamAddress("http://127.0.0.1:1")], patience: .init(), connections: 4, missingPatience: .zero)
        // 1 MB/s and no latency to speak of: a quarter of a megabyte is enough to be on its way.
        upstreams.upstreams[0].score.withLock { score in
            score.answered(after: .microseconds(100))
            score.began(at: begin)
            score.moved(1_000_000)
            score.ended(isSuccess: true, at: begin + .seconds(1))
        }
        let pump = ShardPump(upstreams: upstreams, maximum: 8)
        let shards = (0..<12).map { Manifest.Shard(sha256: hash("\($0)"), bytes: $0 < 6 ? 4_000_000 : 50_000) }
        let log = Mutex((started: [Hash256](), running: 0, mostLarge: 0, mostSmall: 0))
        try await pump.run(shards) { shard in
            log.withLock { log in
                log.started.append(shard.sha256)
                log.running += 1
                if shard.bytes > 1_000_000 {
                    log.mostLarge = max(log.mostLarge, log.running)
                } else {
                    log.mostSmall = max(log.mostSmall, log.running)
                }
            }
            // Nearly there: the next one may begin.
            pump.moved(shard, to: shard.bytes - 10)
            try await Task.sleep(for: .milliseconds(20))
            log.withLock { $0.running -= 1 }
        }
        let seen = log.withLock { $0 }
        #expect(Set(seen.started) == Set(shards.map(\.sha256)))
        #expect(seen.mostLarge <= 8 && seen.mostSmall <= 8)
        await #expect(throws: CocoaError.self) {
            try await pump.run(shards) { _ in throw CocoaError(.fileReadUnknown) }
        }
        await upstreams.shutDown()
    }

    @Test func largeShardsGoOneByOne() async throws {
        let upstreams = try UpstreamSet(
            [try UpstreamAddress("http://127.0.0.1:1")], patience: .init(), connections: 4, missingPatience: .zero)
        let pump = ShardPump(upstreams: upstreams, maximum: 8)
        let shards = (0..<6).map { Manifest.Shard(sha256: hash("\($0)"), bytes: 4_000_000) }
        let log = Mutex((started: [Hash256](), running: 0, most: 0))
        try await pump.run(shards) { shard in
            log.withLock { log in
                log.started.append(shard.sha256)
                log.running += 1
                log.most = max(log.most, log.running)
            }
            try await Task.sleep(for: .milliseconds(5))
            log.withLock { $0.running -= 1 }
        }
        #expect(log.withLock { $0.most } == 1)
        #expect(log.withLock { $0.started } == shards.map(\.sha256))
        await upstreams.shutDown()
    }

    @Test func turnsHoldBackOnlyWhatIsInLine() async throws {
        let turns = ShardTurns()
        let shards = (0..<3).map { Manifest.Shard(sha256: hash("\($0)"), bytes: 1) }
        turns.announce(shards)
        await turns.turn(of: hash("other"))
        let passed = Passed()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<3 {
                group.addTask {
                    await turns.turn(of: shards[index].sha256)
                    passed.list.withLock { $0.append(index) }
                }
            }
            turns.call(shards[1].sha256)
            await group.next()
            #expect(passed.list.withLock { $0 } == [1])
            turns.dismiss()
        }
        #expect(passed.list.withLock { $0.count } == 3)
    }

    @Test func allowancesRefillAndStayBounded() {
        let allowance = ClientAllowance(.init(requestsPerSecond: 10, burst: 5, bytesPerSecond: 1000))
        for _ in 0..<5 { #expect(allowance.admits("a", now: begin)) }
        #expect(!allowance.admits("a", now: begin))
        #expect(allowance.admits("b", now: begin))
        #expect(allowance.admits("a", now: begin + .milliseconds(150)))
        #expect(!allowance.admits("a", now: begin + .milliseconds(150)))
        // A guess leaves a debt.
        #expect(allowance.admits("c", cost: 20, now: begin))
        #expect(!allowance.admits("c", now: begin + .seconds(1)))
        #expect(allowance.admits("c", now: begin + .seconds(2)))
        #expect(allowance.delay("d", bytes: 2000, now: begin) == .zero)
        #expect(allowance.delay("d", bytes: 1, now: begin) == .seconds(2))
        #expect(allowance.delay("d", bytes: 1, now: begin + .seconds(9)) == .zero)
        for index in 0..<40_000 { _ = allowance.admits("flood \(index)", now: begin) }
        #expect(allowance.count <= 1 << 14)
    }
}
