import Foundation
import Identity
import Synchronization
import Testing

@testable import Shardcast

/// Shards on their way through relays, and around servers that hang.
@Suite(.serialized) struct PipelineTests {
    private func isLarge(_ path: String, _ body: [UInt8]) -> Bool { path.hasPrefix("/shards/") && body.count > 1000 }

    /// The origin gives the relay two shards and no third before the client has the first.
    @Test(.timeLimit(.minutes(2))) func firstShardPassesTheRelayBeforeItsThird() async throws {
        let lab = try Lab()
        try lab.publish(1, bytes: 2_000_000)
        let requests = Mutex(0)
        let receiver = Mutex<WeightClient?>(nil)
        // More than the small files and one of the sixteen shards; the second is not there yet or on its way.
        @Sendable func clientHasOne() -> Bool { (receiver.withLock { $0 }?.bytesReceived ?? 0) > 126_000 }
        let origin = try await hostileCopy(of: lab) { path, body in
            guard isLarge(path, body) else { return body }
            let number = requests.withLock { requests in
                requests += 1
                return requests
            }
            while number > 2, !clientHasOne() { try await Task.sleep(for: .milliseconds(5)) }
            return body
        }
        let relay = try await lab.cachingRelay(upstreams: [origin.url])
        let second = try await lab.cachingRelay("second", upstreams: [relay.url])
        let client = try lab.client(second.url)
        receiver.withLock { $0 = client }
        // On a machine that is busy with other tests the news may take longer than a client waits for a manifest.
        _ = try await get("\(second.url)/manifests/latest?wait=60000")
        let fetched = try await client.fetch(version: 1)
        #expect(contents("\(fetched.path)/model.safetensors") == noise(2_000_000, seed: 1))
        await client.shutDown()
        for relay in [second, relay] { try await relay.stop() }
    }

    @Test(.timeLimit(.minutes(2))) func shardOnItsWayIsSaidToBeSo() async throws {
        let lab = try Lab()
        let manifest = try lab.publish(1)
        let isOpen = Mutex(false)
        let asked = Mutex(0)
        let origin = try await hostileCopy(of: lab) { path, body in
            guard isLarge(path, body) else { return body }
            asked.withLock { $0 += 1 }
            while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            return body
        }
        let relay = try await lab.cachingRelay(upstreams: [origin.url]) { $0.limits.answerWithin = .milliseconds(50) }
        _ = try await get("\(relay.url)/manifests/latest?wait=60000")
        let shard = manifest.shards[2]
        let url = "\(relay.url)/shards/\(shard.sha256.hex)"
        for _ in 0..<3 {
            let early = try await get(url)
            #expect(early.status == 202 && early.headers.first(name: "cache-control") == "no-store")
        }
        let client = try lab.client(relay.url)
        async let fetched = client.fetch(version: 1)
        // One that never gives up asking does not count it as a failure.
        try await Task.sleep(for: .milliseconds(300))
        isOpen.withLock { $0 = true }
        #expect(try await fetched.manifest == manifest)
        #expect(SHA256.hash(try await get(url).body) == shard.sha256)
        #expect(asked.withLock { $0 } == 3, "each large shard crossed once")
        await client.shutDown()
        try await relay.stop()
    }

    /// A shard begun before four had arrived is asked for elsewhere after half of the patience, later ones sooner.
    @Test(.timeLimit(.minutes(2))) func stuckShardsAreAskedForElsewhere() async throws {
        let lab = try Lab()
        try lab.publish(1, bytes: 4_000_000)
        let relay = try await lab.relay()
        let answers = Mutex(0)
        let stuck = try await hostileCopy(of: lab) { path, body in
            let number = answers.withLock { answers in
                answers += isLarge(path, body) ? 1 : 0
                return answers
            }
            if isLarge(path, body), number > 5 { try await Task.sleep(for: .seconds(3600)) }
            return body
        }
        for round in 0..<4 {
            let client = try lab.client(stuck.url, relay.url, directory: "client \(round)") {
                $0.silence = .seconds(4)
            }
            answers.withLock { $0 = 0 }
            let fetched = try await client.fetch(version: 1)
            #expect(contents("\(fetched.path)/model.safetensors") == noise(4_000_000, seed: 1))
            #expect(client.bytesReceived < 5_000_000, "a tenth and a shard at most")
            let names = try FileManager.default.contentsOfDirectory(atPath: fetched.path).sorted()
            #expect(names == ["apus.manifest", "config.json", "generation_config.json", "model.safetensors"])
            await client.shutDown()
        }
        try await relay.stop()
    }

    /// The second copy is the corrupt one: it must not touch what the first has written.
    @Test(.timeLimit(.minutes(2))) func corruptSecondCopyHarmsNothing() async throws {
        let lab = try Lab()
        try lab.publish(1, bytes: 4_000_000)
        let answers = Mutex(0)
        let slow = try await hostileCopy(of: lab) { path, body in
            let number = answers.withLock { answers in
                answers += isLarge(path, body) ? 1 : 0
                return answers
            }
            // Late enough to be overtaken, were the other one any good.
            if isLarge(path, body), number > 5 { try await Task.sleep(for: .milliseconds(700)) }
            return body
        }
        let corrupt = try await hostileCopy(of: lab) { path, body in
            isLarge(path, body) ? body.map { ~$0 } : body
        }
        let client = try lab.client(slow.url, corrupt.url) { $0.silence = .seconds(60) }
        let fetched = try await client.fetch(version: 1)
        #expect(contents("\(fetched.path)/model.safetensors") == noise(4_000_000, seed: 1))
        await client.shutDown()
    }
}
