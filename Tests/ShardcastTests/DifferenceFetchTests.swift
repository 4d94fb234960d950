import Foundation
import Identity
import Testing

@testable import Shardcast

/// Differences that are fetched for memory, and files that are made of them later.
@Suite(.serialized) struct DifferenceFetchTests {
    @Test func differencesComeAloneAndFilesAreMadeOfThemLater() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let weights = try DeltaVersionTests.publish(6, into: lab.origin, lab.scratch)
        let client = try lab.client(relay.url)
        let first = try await client.fetch(version: 1)
        #expect(try await client.difference(to: 1) == nil, "a whole version without one")
        var chain: [WeightDifference] = []
        for version: UInt64 in 2...6 {
            let manifest = try #require(try lab.origin.manifest(version))
            let difference = try #require(
                try await client.difference(to: version, weightsHash: manifest.weightsHash))
            #expect(difference.base.version == version - 1 && difference.manifest.version == version)
            #expect(difference.bytesTransferred < first.manifest.totalBytes / 4)
            chain.append(difference)
        }
        #expect(client.installedVersions == [1], "nothing was made")
        await #expect(throws: ShardcastError.self) {
            _ = try await client.difference(to: 3, weightsHash: hash("other"))
        }
        // Somebody cleans up; what is open stays readable.
        for version in 2...6 {
            try FileManager.default.removeItem(atPath: lab.scratch("client/.difference-v\(version)"))
        }
        let received = client.bytesReceived
        let made = try await client.install(Array(chain[..<3]))
        #expect(contents("\(made.path)/model.safetensors") == weights[4])
        #expect(contents("\(made.path)/tokenizer.json") == noise(70_000, seed: 1))
        #expect(made.startedFrom == 1 && client.bytesReceived == received, "no byte came from outside")
        #expect(await kind { _ = try await client.install(Array(chain[4...])) } == .versionMissing)
        let last = try await client.install(Array(chain[3...]))
        #expect(contents("\(last.path)/model.safetensors") == weights[6])
        #expect(try await client.install(Array(chain[3...])).bytesTransferred == 0, "a repetition")
        await client.shutDown()
        // A new process believes what was made.
        let again = try lab.client(relay.url)
        #expect(try await again.fetch(version: 6).bytesTransferred == 0)
        await again.shutDown()
        try await relay.stop()
    }

    @Test func interruptedDifferencesGoOnAndOldOnesArePruned() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        try DeltaVersionTests.publish(4, into: lab.origin, lab.scratch)
        let client = try lab.client(relay.url)
        _ = try await client.fetch(version: 1)
        let shards = try #require(try lab.origin.manifest(3)?.delta).shards
        let stream = shards.flatMap { contents(lab.scratch("origin/shards/\($0.sha256.hex)")) }
        let folder = lab.scratch("client/.difference-v3")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(stream).write(to: URL(fileURLWithPath: "\(folder)/v3.delta"))
        let received = client.bytesReceived
        let found = try #require(try await client.difference(to: 3))
        #expect(client.bytesReceived - received == found.bytesTransferred, "only the manifest")
        #expect(found.bytesTransferred < UInt64(stream.count))
        let second = try #require(try await client.difference(to: 2))
        _ = try #require(try await client.difference(to: 4))
        _ = try await client.install([second, found])
        try client.prune(keeping: 4)
        let left = try FileManager.default.contentsOfDirectory(atPath: lab.scratch("client"))
        #expect(left.filter { $0.hasPrefix(".difference-") } == [".difference-v4"])
        #expect(left.filter { $0.hasPrefix(".partial-") } == [])
        await client.shutDown()
        try await relay.stop()
    }

    @Test func damagedBaseOnTheDiskIsNotBuiltUpon() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let weights = try DeltaVersionTests.publish(3, into: lab.origin, lab.scratch)
        let client = try lab.client(relay.url)
        let first = try await client.fetch(version: 1)
        var chain: [WeightDifference] = []
        for version: UInt64 in 2...3 {
            chain.append(try #require(try await client.difference(to: version)))
        }
        var bytes = contents("\(first.path)/model.safetensors")
        bytes[bytes.count - 100] ^= 4
        try Data(bytes).write(to: URL(fileURLWithPath: "\(first.path)/model.safetensors"))
        #expect(await kind { _ = try await client.install(chain) } == .corruptDelta)
        #expect(client.installedVersions == [1])
        // Everything again, the usual way.
        let fetched = try await client.fetch(version: 3)
        #expect(contents("\(fetched.path)/model.safetensors") == weights[3])
        await client.shutDown()
        try await relay.stop()
    }
}
