import Foundation
import Identity
import Testing

@testable import Shardcast

@Suite(.serialized) struct RoundTripTests {
    @Test func clientEndsWithTheFilesThatWerePublished() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        let manifest = try lab.publish(1)
        let news = try await client.waitForVersion(after: nil, timeout: .seconds(60))
        #expect(news == manifest)
        let fetched = try await client.fetch(version: 1, weightsHash: hash("weights 1"))
        #expect(fetched.manifest.weightsHash == hash("weights 1"))
        #expect(contents("\(fetched.path)/model.safetensors") == noise(164_000, seed: 1))
        #expect(contents("\(fetched.path)/config.json") == Array("{\"model_type\":\"qwen3\"}".utf8))
        #expect(fetched.bytesTransferred > manifest.totalBytes && fetched.bytesTransferred < manifest.totalBytes + 4096)
        #expect(client.bytesReceived == fetched.bytesTransferred)
        await client.shutDown()
        try await relay.stop()
    }

    @Test func waitingClientLearnsOfEachVersionAndReusesWhatDidNotChange() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        for (known, version) in [(nil, 1), (1, 2), (2, 5)] as [(UInt64?, UInt64)] {
            async let news = client.waitForVersion(after: known, timeout: .seconds(60))
            try lab.publish(version)
            let manifest = try await news
            #expect(manifest.version == version)
            let fetched = try await client.fetch(version: version)
            if version > 1 { #expect(fetched.bytesReused == 41) }  // both small files
        }
        #expect(client.installedVersions == [1, 2, 5])
        #expect(try client.prune(keeping: 1, retaining: [1]) == [2])
        #expect(client.installedVersions == [1, 5])
        await client.shutDown()
        try await relay.stop()
    }

    @Test func manyClientsAndConcurrentFetchesOfOneVersion() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        try lab.publish(3, bytes: 3_000_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<6 {
                group.addTask {
                    let client = try lab.client(relay.url, directory: "client\(index)")
                    async let first = client.fetch(version: 3)
                    async let second = client.fetch(version: 3)
                    let paths = try await [first.path, second.path]
                    #expect(Set(paths).count == 1)
                    #expect(contents("\(paths[0])/model.safetensors") == noise(3_000_000, seed: 3))
                    #expect(client.bytesReceived < 3_100_000, "two callers share one transfer")
                    await client.shutDown()
                }
            }
            try await group.waitForAll()
        }
        try await relay.stop()
    }

    @Test func cachingRelaysStandBetweenAndFetchEachShardOnce() async throws {
        let lab = try Lab()
        let origin = try await lab.relay()
        let middle = try await lab.cachingRelay("middle", upstreams: [origin.url])
        let outer = try await lab.cachingRelay("outer", upstreams: [middle.url])
        let clients = try (0..<4).map { try lab.client(outer.url, directory: "client\($0)") }
        let manifest = try lab.publish(7, bytes: 2_000_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients {
                group.addTask {
                    let news = try await client.waitForVersion(after: 6, timeout: .seconds(60))
                    let fetched = try await client.fetch(version: news.version)
                    #expect(contents("\(fetched.path)/model.safetensors") == noise(2_000_000, seed: 7))
                }
            }
            try await group.waitForAll()
        }
        let metrics = try await get("\(middle.url)/metrics").text
        let received = metrics.split(separator: "\n").first { $0.hasPrefix("apus_relay_received_bytes_total ") }
        let bytes = UInt64(received?.split(separator: " ").last ?? "") ?? 0
        #expect(bytes > manifest.totalBytes && bytes < manifest.totalBytes + 8192, "each shard crossed once")
        for client in clients { await client.shutDown() }
        for relay in [outer, middle, origin] { try await relay.stop() }
    }

    @Test func cacheSurvivesItsProcessAndNoLongerNeedsTheOrigin() async throws {
        let lab = try Lab()
        try lab.publish(1)
        try lab.publish(2)
        let origin = try await lab.relay()
        var cache = try await lab.cachingRelay(upstreams: [origin.url])
        let first = try lab.client(cache.url, directory: "first")
        _ = try await first.waitForVersion(after: 1, timeout: .seconds(60))
        _ = try await first.fetch(version: 2)
        // Version 1 was never announced to this cache; it asks upstream for it.
        _ = try await first.fetch(version: 1)
        await first.shutDown()
        try await cache.stop()
        try await origin.stop()
        // A byte of a cached shard flips while the relay is down: it must not serve it.
        let shards = lab.scratch("cache/shards")
        let names = try FileManager.default.contentsOfDirectory(atPath: shards).sorted()
        let large = try #require(names.first { contents("\(shards)/\($0)").count == 65536 })
        var bytes = contents("\(shards)/\(large)")
        bytes[1000] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: "\(shards)/\(large)"))

        let revived = try await lab.relay()
        cache = try await lab.cachingRelay(upstreams: [revived.url])
        let second = try lab.client(cache.url, directory: "second")
        for version: UInt64 in [1, 2] {
            let fetched = try await second.fetch(version: version)
            #expect(contents("\(fetched.path)/model.safetensors") == noise(164_000, seed: version))
        }
        await second.shutDown()
        try await cache.stop()
        try await revived.stop()
    }

    @Test func fetchGoesOnWhereItWasKilled() async throws {
        let lab = try Lab()
        let manifest = try lab.publish(4, bytes: 2_000_000)
        let relay = try await lab.relay()
        // What a killed process leaves: a partial directory with some right, one wrong and some missing shards.
        let partial = lab.scratch("client/.partial-v4")
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
        var half = Array(noise(2_000_000, seed: 4).prefix(1_000_000))
        half[10] ^= 1
        try Data(half).write(to: URL(fileURLWithPath: "\(partial)/model.safetensors"))
        try Data([1]).write(to: URL(fileURLWithPath: "\(partial)/stray"))
        let client = try lab.client(relay.url)
        let fetched = try await client.fetch(version: 4)
        #expect(contents("\(fetched.path)/model.safetensors") == noise(2_000_000, seed: 4))
        #expect(fetched.bytesReused > 700_000)
        #expect(fetched.bytesTransferred < manifest.totalBytes - 700_000)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fetched.path).sorted() == [
                "apus.manifest", "config.json", "generation_config.json", "model.safetensors",
            ])
        await client.shutDown()

        // Damage to an installed version is found by the next process, and only the damage is fetched again.
        let path = "\(fetched.path)/model.safetensors"
        var bytes = contents(path)
        bytes[500_000] ^= 0x10
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let next = try lab.client(relay.url, directory: "client")
        #expect(next.installedVersions == [4])
        let repaired = try await next.fetch(version: 4)
        #expect(contents("\(repaired.path)/model.safetensors") == noise(2_000_000, seed: 4))
        #expect(repaired.bytesTransferred > 0)
        let again = try await next.fetch(version: 4)
        #expect(again.bytesTransferred == 0)
        await next.shutDown()
        try await relay.stop()
    }

    @Test func cancelledFetchStopsAndCanBeContinued() async throws {
        let lab = try Lab()
        try lab.publish(1, bytes: 1_000_000)
        let relay = try await lab.relay()
        let slow = try await hostileCopy(of: lab) { path, body in
            if path.hasPrefix("/shards/"), body.count > 1000 { try await Task.sleep(for: .seconds(30)) }
            return body
        }
        let client = try lab.client(slow.url)
        let task = Task { try await client.fetch(version: 1) }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        #expect(await kind { _ = try await task.value } == .shutDown)
        await client.shutDown()
        let next = try lab.client(relay.url, directory: "next")
        _ = try await next.fetch(version: 1)
        await next.shutDown()
        try await relay.stop()
    }

    @Test func progressEndsAtTheWhole() async throws {
        let lab = try Lab()
        let manifest = try lab.publish(1, bytes: 500_000)
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        let (reports, report) = AsyncStream.makeStream(of: FetchProgress.self)
        _ = try await client.fetch(version: 1, progress: { report.yield($0) })
        report.finish()
        var last: FetchProgress?
        for await progress in reports { last = progress }
        #expect(last?.bytesDone == manifest.totalBytes && last?.bytesTotal == manifest.totalBytes)
        #expect((last?.bytesPerSecond ?? 0) > 0)
        await client.shutDown()
        try await relay.stop()
    }
}
