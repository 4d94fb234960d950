import Foundation
import Identity
import Synchronization
import Testing

@testable import Shardcast

/// A publisher of differences that is killed at every imaginable moment.
@Suite struct DeltaCrashTests {
    @Test func everyCrashLeavesAnOriginThatCanBeReadAndGoesOn() throws {
        let scratch = try Scratch()
        let path = scratch("origin")
        let key = SigningKey()
        let snapshots = Mutex<[(OriginDirectory.Moment, String)]>([])
        let origin = try OriginDirectory(path: path, run: hash("run"), key: key) { (moment) throws(ShardcastError) in
            snapshots.withLock { snapshots in
                let copy = scratch("copy\(snapshots.count)")
                try? FileManager.default.copyItem(atPath: path, toPath: copy)
                snapshots.append((moment, copy))
            }
        }
        let weights = try DeltaVersionTests.publish(5, into: origin, scratch, interval: 3)
        try origin.prune(keeping: 1)
        let all = snapshots.withLock { $0 }
        #expect(Set(all.map(\.0)).count == 9, "every moment was seen")
        for (moment, copy) in all {
            let reopened = try OriginDirectory(path: copy, run: hash("run"), key: key)
            for version in reopened.versions {
                let manifest = try #require(try reopened.manifest(version))
                for shard in manifest.shards {
                    #expect(SHA256.hash(contents("\(copy)/shards/\(shard.sha256.hex)")) == shard.sha256, "\(moment)")
                }
                // No difference without what it is made from.
                if let base = manifest.neededBase { #expect(reopened.versions.contains(base), "\(moment)") }
                #expect(try Self.rebuilt(version, reopened, copy, scratch) == weights[version], "\(moment) \(version)")
            }
            // The next version, whatever the crash left of the files to make a difference from.
            let next = (reopened.highestVersion ?? 0) + 1
            let model = TestModel.drawn(seed: 21).drifted(density: 0.02, seed: 77)
            let bytes = try DeltaVersionTests.write(model, to: scratch("next"))
            try reopened.publish(
                modelDirectory: scratch("next"), version: next, step: next, weightsHash: model.weightsHash,
                anchors: AnchorPolicy(interval: 5))
            #expect(try Self.rebuilt(next, reopened, copy, scratch) == bytes, "\(moment)")
            try FileManager.default.removeItem(atPath: copy)
        }
    }

    /// What a client would make of a version, from the directory's files alone.
    private static func rebuilt(
        _ version: UInt64, _ origin: OriginDirectory, _ path: String, _ scratch: Scratch
    ) throws -> [UInt8] {
        func joined(_ shards: [Manifest.Shard]) -> [UInt8] {
            shards.flatMap { contents("\(path)/shards/\($0.sha256.hex)") }
        }
        var manifest = try #require(try origin.manifest(version))
        var streams: [DeltaStream] = []
        let target = manifest
        while manifest.kind == .delta, let file = manifest.deltaFile {
            let place = scratch("rebuilt-\(file.name)")
            try Data(joined(file.shards)).write(to: URL(fileURLWithPath: place))
            streams.insert(try DeltaStream(try #require(try OpenFile.reading(place))), at: 0)
            let base = try #require(manifest.base)
            manifest = try #require(try origin.manifest(base))
        }
        let weights = try #require(manifest.weightFiles.first)
        if streams.isEmpty { return joined(weights.shards) }
        for name in ["rebuilt-base", "rebuilt-result"] {
            try FileManager.default.createDirectory(atPath: scratch(name), withIntermediateDirectories: true)
        }
        try Data(joined(weights.shards)).write(to: URL(fileURLWithPath: scratch("rebuilt-base/\(weights.name)")))
        try DeltaApplication(streams).run(
            target.weightFiles.map { (name: $0.name, bytes: $0.bytes) }, base: scratch("rebuilt-base"),
            target: scratch("rebuilt-result"))
        return contents(scratch("rebuilt-result/\(weights.name)"))
    }
}
