import Foundation
import Identity
import Synchronization
import Testing

@testable import Shardcast

@Suite struct OriginTests {
    private func shards(_ lab: Lab) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: lab.scratch("origin/shards")))
    }

    @Test func directoryHasTheContractsFormat() throws {
        let lab = try Lab()
        let manifest = try lab.publish(12)
        #expect(contents(lab.scratch("origin/manifests/v12")) == contents(lab.scratch("origin/manifests/latest")))
        for shard in manifest.shards {
            let bytes = contents(lab.scratch("origin/shards/\(shard.sha256.hex)"))
            #expect(SHA256.hash(bytes) == shard.sha256 && UInt64(bytes.count) == shard.bytes)
        }
        #expect(manifest.files.map(\.name) == ["config.json", "generation_config.json", "model.safetensors"])
        #expect(manifest.files[2].shards.map(\.bytes) == [65536, 65536, 164_000 - 131072])
        #expect(lab.origin.highestVersion == 12 && lab.origin.versions == [12])
        #expect(try lab.origin.manifest(12) == manifest)
        #expect(try lab.origin.manifest(11) == nil)
    }

    @Test func versionsGrowAndRepetitionChangesNothing() throws {
        let lab = try Lab()
        let first = try lab.publish(5)
        #expect(try lab.publish(5) == first)
        func publish(_ version: UInt64, _ weights: String) -> ShardcastError.Kind? {
            do throws(ShardcastError) {
                try lab.origin.publish(
                    files: Lab.files(version), version: version, step: version, weightsHash: hash(weights))
                return nil
            } catch { return error.kind }
        }
        #expect(publish(5, "others") == .versionTaken)
        #expect(publish(4, "weights 4") == .versionTaken)
        #expect(publish(6, "weights 5") == nil)
        try lab.publish(7)
        #expect(try lab.origin.prune(keeping: 1) == [5, 6])
        // A pruned number stays taken, and repeating it after a crash is still no error.
        #expect(publish(5, "others") == .versionTaken)
        #expect(try lab.publish(5) == first)
        #expect(lab.origin.versions == [7])
    }

    @Test func pruningKeepsWhatIsUsed() throws {
        let lab = try Lab()
        let manifests = try (1...6).map { try lab.publish($0) }
        #expect(try lab.origin.prune(keeping: 2, retaining: [2]) == [1, 3, 4])
        #expect(lab.origin.versions == [2, 5, 6])
        let used = Set([manifests[1], manifests[4], manifests[5]].flatMap(\.shards).map(\.sha256.hex))
        #expect(try shards(lab) == used)
        #expect(try lab.origin.prune(keeping: 0) == [2, 5])
        #expect(lab.origin.versions == [6])
    }

    @Test func oneProcessAtATimeAndOneRunPerDirectory() throws {
        var lab: Lab? = try Lab()
        let path = try #require(lab?.scratch("origin")), key = try #require(lab?.key), scratch = lab?.scratch
        func open(_ run: String, _ key: SigningKey) -> ShardcastError.Kind? {
            do throws(ShardcastError) {
                _ = try OriginDirectory(path: path, run: hash(run), key: key)
                return nil
            } catch { return error.kind }
        }
        try lab?.publish(1)
        #expect(open("run", key) == .directoryInUse)
        lab = nil
        #expect(open("other", key) == .anotherRun)
        #expect(open("run", SigningKey()) == .wrongKey)
        #expect(open("run", key) == nil)
        _ = scratch
    }

    /// Copies the directory at every moment of a publication and a pruning, as a power cut would leave it, and opens the copies.
    @Test func everyCrashLeavesADirectoryThatGoesOn() throws {
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
        for version: UInt64 in 1...3 {
            try origin.publish(
                files: Lab.files(version), version: version, step: version, weightsHash: hash("weights \(version)"))
        }
        try origin.prune(keeping: 1)
        let all = snapshots.withLock { $0 }
        #expect(Set(all.map(\.0)).count == 8, "every moment was seen")
        for (moment, copy) in all {
            let reopened = try OriginDirectory(path: copy, run: hash("run"), key: key)
            let highest = reopened.highestVersion
            if let newest = reopened.versions.last {
                #expect(newest == highest)
                let latest = try SignedManifest(
                    verifying: contents("\(copy)/manifests/latest"), trust: key.publicKey)
                #expect(latest.manifest.version == newest, "\(moment)")
            }
            var used = Set<String>()
            for version in reopened.versions {
                for shard in try #require(try reopened.manifest(version)).shards {
                    #expect(SHA256.hash(contents("\(copy)/shards/\(shard.sha256.hex)")) == shard.sha256, "\(moment)")
                    used.insert(shard.sha256.hex)
                }
            }
            #expect(Set(try FileManager.default.contentsOfDirectory(atPath: "\(copy)/shards")) == used)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(copy)/.tmp").isEmpty)
            // The trainer repeats its last publication, or makes its first.
            let next = max(highest ?? 1, 1)
            try reopened.publish(
                files: Lab.files(next), version: next, step: next, weightsHash: hash("weights \(next)"))
            #expect(reopened.highestVersion == next)
        }
    }

    @Test(arguments: [OriginDirectory.Moment.begun, .shardWritten, .shardRenamed, .shardsSynced, .manifestWritten])
    func fullDiskPublishesNothingAndTheNumberStaysFree(_ moment: OriginDirectory.Moment) throws {
        let scratch = try Scratch()
        let isFull = Mutex(false)
        let origin = try OriginDirectory(path: scratch("origin"), run: hash("run"), key: SigningKey()) {
            (now) throws(ShardcastError) in
            if now == moment, isFull.withLock({ $0 }) { throw .system("write", "shard", code: ENOSPC) }
        }
        func publish(_ version: UInt64) throws(ShardcastError) {
            try origin.publish(
                files: Lab.files(version), version: version, step: version, weightsHash: hash("weights \(version)"))
        }
        try publish(1)
        let before = try FileManager.default.subpathsOfDirectory(atPath: scratch("origin")).sorted()
        isFull.withLock { $0 = true }
        do throws(ShardcastError) {
            try publish(2)
            Issue.record("published on a full disk")
        } catch {
            #expect(error.kind == .noSpace)
            #expect(error.message.contains("free space"))
        }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: scratch("origin")).sorted() == before)
        #expect(origin.highestVersion == 1)
        isFull.withLock { $0 = false }
        try publish(2)
        #expect(origin.versions == [1, 2])
    }

    @Test func modelDirectoriesAreTakenAsTheyAre() throws {
        let lab = try Lab()
        let model = lab.scratch("model")
        try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
        let missing = #expect(throws: ShardcastError.self) {
            try lab.origin.publish(modelDirectory: model, version: 1, step: 1, weightsHash: hash("w"))
        }
        #expect(missing?.message.contains("model.safetensors") == true)
        for (name, bytes) in [
            ("model.safetensors", 200_000), ("config.json", 10), ("notes.txt", 10), ("tokenizer_config.json", 5),
        ] {
            try Data(noise(bytes, seed: 1)).write(to: URL(fileURLWithPath: "\(model)/\(name)"))
        }
        let manifest = try lab.origin.publish(
            modelDirectory: model, version: 1, step: 1, weightsHash: hash("w"), lifetime: .seconds(60)
        ).manifest
        #expect(manifest.files.map(\.name) == ["config.json", "tokenizer_config.json", "model.safetensors"])
        #expect(manifest.expiresMilliseconds == manifest.createdMilliseconds + 60_000)
        #expect(manifest.files[2].sha256 == SHA256.hash(noise(200_000, seed: 1)))
    }

    @Test func damagedManifestIsNamed() throws {
        var lab: Lab? = try Lab()
        let scratch = try #require(lab?.scratch), key = try #require(lab?.key)
        try lab?.publish(1)
        lab = nil
        try Data("garbage".utf8).write(to: URL(fileURLWithPath: scratch("origin/manifests/v1")))
        let error = #expect(throws: ShardcastError.self) {
            try OriginDirectory(path: scratch("origin"), run: hash("run"), key: key)
        }
        #expect(error?.message.contains("manifests/v1") == true)
    }
}
