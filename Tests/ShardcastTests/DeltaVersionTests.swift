import Foundation
import Fuzzing
import Identity
import Testing

@testable import Shardcast

/// Versions as differences on their way from an origin to clients.
@Suite(.serialized) struct DeltaVersionTests {
    /// A model directory with companions; returns the bytes of the weights.
    @discardableResult
    static func write(_ model: TestModel, to directory: String, configuration: String = "{}") throws -> [UInt8] {
        try model.write(to: directory)
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: "\(directory)/config.json"))
        try Data(noise(70_000, seed: 1)).write(to: URL(fileURLWithPath: "\(directory)/tokenizer.json"))
        return contents("\(directory)/\(model.names[0])")
    }

    /// Versions 1 to `count` of a model that drifts, published one after the other.
    @discardableResult
    static func publish(
        _ count: Int, into origin: OriginDirectory, _ scratch: Scratch, density: Double = 0.02, interval: Int = 4,
        from first: UInt64 = 1, configuration: (Int) -> String = { _ in "{}" }
    ) throws -> [UInt64: [UInt8]] {
        var model = TestModel.drawn(seed: 21)
        var weights: [UInt64: [UInt8]] = [:]
        for index in 0..<count {
            if index > 0 { model = model.drifted(density: density, seed: UInt64(index), jumps: 0) }
            let version = first + UInt64(index)
            weights[version] = try write(
                model, to: scratch("model \(version)"), configuration: configuration(index))
            try origin.publish(
                modelDirectory: scratch("model \(version)"), version: version, step: version,
                weightsHash: model.weightsHash, anchors: AnchorPolicy(interval: interval))
        }
        return weights
    }

    private func check(_ fetched: FetchedVersion, _ weights: [UInt64: [UInt8]]) {
        #expect(contents("\(fetched.path)/model.safetensors") == weights[fetched.version])
        #expect(contents("\(fetched.path)/tokenizer.json") == noise(70_000, seed: 1))
        let names = (try? FileManager.default.contentsOfDirectory(atPath: fetched.path).sorted()) ?? []
        #expect(names == ["apus.manifest", "config.json", "model.safetensors", "tokenizer.json"])
    }

    @Test func anchorsAndDifferencesFollowThePolicy() throws {
        let lab = try Lab()
        _ = try Self.publish(9, into: lab.origin, lab.scratch)
        let manifests = try (1...9).map { try #require(try lab.origin.manifest($0)) }
        #expect(manifests.map(\.kind) == [.full, .delta, .delta, .delta, .full, .delta, .delta, .delta, .full])
        #expect(manifests.map { $0.delta != nil } == [false, true, true, true, true, true, true, true, true])
        #expect(manifests.map(\.anchor) == [nil, 1, 1, 1, nil, 5, 5, 5, nil])
        #expect(manifests.map(\.base) == [nil, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(manifests[0].schema == 1 && manifests[1].schema == 3 && manifests[4].schema == 3)
        #expect(manifests[0].tensors.count == 7 && manifests[1].tensors.isEmpty)
        for tensor in manifests[0].tensors {
            let file = contents(lab.scratch("model 1/model.safetensors"))
            #expect(SHA256.hash(Array(file[Int(tensor.offset)..<Int(tensor.offset + tensor.bytes)])) == tensor.sha256)
        }
        #expect((manifests[1].delta?.bytes ?? .max) < manifests[0].totalBytes / 10)
        // The chain of a kept version stays with it.
        #expect(try lab.origin.prune(VersionsInUse(newest: 1, named: [4])) == [5, 6, 7, 8])
        #expect(lab.origin.versions == [1, 2, 3, 4, 9])
        #expect(try lab.origin.prune(VersionsInUse(newest: 1, oldestLeased: 9)) == [1, 2, 3, 4])
    }

    @Test("A base that was removed, beyond the anchor that a version is made from, is not waited for")
    func removedBase() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let cache = try await lab.cachingRelay(upstreams: [relay.url])
        let weights = try Self.publish(9, into: lab.origin, lab.scratch)
        #expect(try lab.origin.prune(keeping: 5) == [1, 2, 3, 4])
        for (name, url) in [("origin", relay.url), ("cache", cache.url)] {
            // Whoever waits for version 4 has no time left for version 7.
            let client = try lab.client(url, directory: "from \(name)") { $0.missingPatience = .seconds(600) }
            let fetched = try await client.fetch(version: 7, timeout: .seconds(30))
            check(fetched, weights)
            #expect(fetched.startedFrom == 5)
            await client.shutDown()
        }
        try await cache.stop()
        try await relay.stop()
    }

    @Test func clientsFollowWithDifferencesAndJoinThroughAnAnchor() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let cache = try await lab.cachingRelay(upstreams: [relay.url])
        let weights = try Self.publish(10, into: lab.origin, lab.scratch)
        let full = try #require(try lab.origin.manifest(1)).totalBytes
        // Every version in turn, through a relay: one whole, then differences only, across anchors too.
        let follower = try lab.client(cache.url, directory: "follower")
        _ = try await follower.waitForVersion(after: 9, timeout: .seconds(60))
        for version: UInt64 in 1...10 {
            let fetched = try await follower.fetch(version: version)
            check(fetched, weights)
            #expect(fetched.startedFrom == (version == 1 ? nil : version - 1))
            if version > 1 { #expect(fetched.bytesTransferred < full / 5, "version \(version)") }
            try follower.prune(keeping: 2)
        }
        await follower.shutDown()
        // Late joiners: the anchor and what follows; and again, from what is there.
        let late = try lab.client(cache.url, directory: "late")
        let joined = try await late.fetch(version: 7)
        check(joined, weights)
        #expect(joined.startedFrom == 5 && late.installedVersions == [5, 7])
        let next = try await late.fetch(version: 10)
        check(next, weights)
        #expect(next.startedFrom == 7 && next.bytesTransferred < full / 3)
        await late.shutDown()
        for relay in [cache, relay] { try await relay.stop() }
    }

    @Test func everyMixtureOfWaysEndsWithTheSameWeights() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let weights = try Self.publish(9, into: lab.origin, lab.scratch, interval: 3)
        var generator = FuzzGenerator(seed: 5)
        for round in 0..<6 {
            let client = try lab.client(relay.url, directory: "client \(round)")
            for _ in 0..<5 {
                let version = UInt64.random(in: 1...9, using: &generator)
                check(try await client.fetch(version: version), weights)
                if Bool.random(using: &generator) {
                    try client.prune(keeping: 1, retaining: [UInt64.random(in: 1...9, using: &generator)])
                }
            }
            await client.shutDown()
        }
        try await relay.stop()
    }

    @Test func damagedBaseIsReplacedAndADamagedDifferenceIsNeverInstalled() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let weights = try Self.publish(3, into: lab.origin, lab.scratch)
        let client = try lab.client(relay.url)
        let first = try await client.fetch(version: 2)
        // The base rots after it was checked.
        var bytes = contents("\(first.path)/model.safetensors")
        bytes[bytes.count - 100] ^= 4
        try Data(bytes).write(to: URL(fileURLWithPath: "\(first.path)/model.safetensors"))
        check(try await client.fetch(version: 3), weights)
        await client.shutDown()
        try await relay.stop()

        // A publisher whose difference leads elsewhere: signed, and wrong.
        let faulty = try Lab()
        _ = try Self.publish(1, into: faulty.origin, faulty.scratch)
        let base = try #require(try faulty.origin.manifest(1))
        let other = TestModel.drawn(seed: 99)
        try Self.write(other, to: faulty.scratch("other"))
        try Self.write(other.drifted(density: 0.01, seed: 1), to: faulty.scratch("next"))
        let draft = try #require(
            try DeltaEncoder(path: faulty.scratch("wrong"), limit: .max).encode(
                other.names, from: faulty.scratch("other"), to: faulty.scratch("next"),
                hashes: (base.weightsHash, hash("w"))))
        let stream = contents(draft.path)
        let shard = Manifest.Shard(sha256: SHA256.hash(stream), bytes: UInt64(stream.count))
        let made = try #require(draft.files.first)
        let manifest = Manifest(
            run: faulty.run, version: 2, step: 2, weightsHash: hash("w"), createdMilliseconds: 1,
            files: [.init(name: made.name, bytes: made.bytes, sha256: made.sha256, shards: [])], kind: .delta, base: 1,
            baseWeightsHash: base.weightsHash, anchor: 1,
            delta: .init(bytes: shard.bytes, sha256: shard.sha256, shards: [shard]))
        let signed = try SignedManifest(signing: manifest, with: faulty.key)
        try Data(signed.bytes).write(to: URL(fileURLWithPath: faulty.scratch("origin/manifests/v2")))
        try Data(signed.bytes).write(
            to: URL(fileURLWithPath: faulty.scratch("origin/manifests/latest")), options: .atomic)
        try Data(stream).write(to: URL(fileURLWithPath: faulty.scratch("origin/shards/\(shard.sha256.hex)")))
        let server = try await faulty.relay()
        let victim = try faulty.client(server.url)
        _ = try await victim.waitForVersion(after: 1, timeout: .seconds(60))
        #expect(await kind { _ = try await victim.fetch(version: 2) } == .corruptDelta)
        #expect(victim.installedVersions == [1])
        await victim.shutDown()
        try await server.stop()
    }

    @Test func brokenChainIsNamedOrReplacedByAnAnchor() async throws {
        let lab = try Lab()
        let weights = try Self.publish(6, into: lab.origin, lab.scratch)
        // Somebody deletes manifests behind the publisher's back.
        try FileManager.default.removeItem(atPath: lab.scratch("origin/manifests/v3"))
        let relay = try await lab.relay()
        let client = try lab.client(relay.url)
        #expect(await kind { _ = try await client.fetch(version: 4, timeout: .seconds(20)) } == .versionMissing)
        check(try await client.fetch(version: 6), weights)
        await client.shutDown()
        try await relay.stop()
    }

    @Test func interruptedFetchOfAChainGoesOn() async throws {
        let lab = try Lab()
        let weights = try Self.publish(4, into: lab.origin, lab.scratch)
        let relay = try await lab.relay()
        let partial = lab.scratch("client/.partial-v4")
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
        let manifest = try #require(try lab.origin.manifest(3))
        let shards = try #require(manifest.delta).shards
        let stream = shards.flatMap { contents(lab.scratch("origin/shards/\($0.sha256.hex)")) }
        try Data(stream).write(to: URL(fileURLWithPath: "\(partial)/v3.delta"))
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(partial)/model.safetensors"))
        let client = try lab.client(relay.url)
        let fetched = try await client.fetch(version: 4)
        check(fetched, weights)
        #expect(fetched.bytesReused >= UInt64(stream.count))
        await client.shutDown()
        try await relay.stop()
    }

    @Test func changedCompanionsTravelWithTheDifference() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        _ = try Self.publish(3, into: lab.origin, lab.scratch) { "{\"v\":\($0 / 2)}" }
        let client = try lab.client(relay.url)
        for version: UInt64 in 1...3 {
            let fetched = try await client.fetch(version: version)
            #expect(contents("\(fetched.path)/config.json") == Array("{\"v\":\((version - 1) / 2)}".utf8))
        }
        await client.shutDown()
        try await relay.stop()
    }

    @Test func aModelThatCannotBeADifferenceIsPublishedWhole() throws {
        let lab = try Lab()
        let scratch = lab.scratch
        var model = TestModel.drawn(seed: 31)
        func publish(_ version: UInt64) throws -> PublishedVersion {
            try Self.write(model, to: scratch("m"))
            return try lab.origin.publish(
                modelDirectory: scratch("m"), version: version, step: version, weightsHash: model.weightsHash)
        }
        #expect(try publish(1).manifest.kind == .full)
        // Everything else, at random: a difference would save nothing.
        var generator = FuzzGenerator(seed: 32)
        for file in model.files.indices {
            for index in model.files[file].tensors.indices {
                model.files[file].tensors[index].elements = model.files[file].tensors[index].elements.map { _ in
                    UInt16(truncatingIfNeeded: generator.next())
                }
            }
        }
        #expect(try publish(2).manifest.kind == .full)
        model.files[0].tensors.removeLast()
        #expect(try publish(3).manifest.kind == .full)
        model = model.drifted(density: 0.01, seed: 1)
        #expect(try publish(4).manifest.kind == .delta)
        // The publisher keeps the version's weights for the next difference.
        let copy = lab.scratch("origin/.head/v4/model.safetensors")
        #expect(contents(copy) == contents(scratch("m/model.safetensors")))
        #expect(try publish(4).statistics == nil, "a repetition")
    }

    @Test func damagedHeadMakesAWholeVersionAfterARestart() throws {
        let scratch = try Scratch()
        let key = SigningKey()
        var model = TestModel.drawn(seed: 41)
        for (version, isDamaged, kind) in [
            (1, false, .full), (2, false, .delta), (3, true, .full), (4, false, .delta),
        ] as [(UInt64, Bool, VersionKind)] {
            let origin = try OriginDirectory(continuing: scratch("origin"), key: key)
            if isDamaged {
                let path = scratch("origin/.head/v\(version - 1)/model.safetensors")
                var bytes = contents(path)
                bytes[bytes.count - 3] ^= 1
                try Data(bytes).write(to: URL(fileURLWithPath: path))
            }
            model = model.drifted(density: 0.01, seed: version)
            try Self.write(model, to: scratch("m"))
            let published = try origin.publish(
                modelDirectory: scratch("m"), version: version, step: version, weightsHash: model.weightsHash,
                taking: version % 2 == 0)
            #expect(published.manifest.kind == kind, "version \(version)")
            #expect(FileManager.default.fileExists(atPath: scratch("m")) == (version % 2 != 0))
            try? FileManager.default.removeItem(atPath: scratch("m"))
        }
        #expect(throws: ShardcastError.self) { try OriginDirectory(continuing: scratch("origin"), key: SigningKey()) }
    }
}
