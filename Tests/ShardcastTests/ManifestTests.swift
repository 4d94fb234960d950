import Foundation
import Fuzzing
import Identity
import Testing

@testable import Shardcast

@Suite struct ManifestTests {
    static let key = SigningKey()

    static func manifest(
        version: UInt64 = 3, files: [Manifest.File]? = nil, expires: Int64? = nil, base: UInt64? = nil
    ) -> Manifest {
        Manifest(
            run: hash("run"), version: version, step: 3, weightsHash: hash("w"), createdMilliseconds: 1_700_000_000_000,
            expiresMilliseconds: expires, files: files ?? [file("model.safetensors", [100, 50])], base: base)
    }

    static func file(_ name: String, _ lengths: [UInt64], seed: String = "") -> Manifest.File {
        let shards = lengths.enumerated().map {
            Manifest.Shard(sha256: hash("\(seed)\(name)\($0.offset)"), bytes: $0.element)
        }
        return Manifest.File(
            name: name, bytes: lengths.reduce(0, +), sha256: shards.count == 1 ? shards[0].sha256 : hash(name),
            shards: shards)
    }

    @Test func signedBytesComeBack() throws {
        let tensor = Manifest.Tensor(
            name: "a.weight", dtype: "BF16", shape: [5, 10], file: "model.safetensors", offset: 0, bytes: 100,
            sha256: hash("t"))
        let manifest = Manifest(
            run: hash("run"), version: 9, step: 8, weightsHash: hash("w"), createdMilliseconds: 5,
            expiresMilliseconds: 6,
            files: [Self.file("config.json", [3]), Self.file("model.safetensors", [100, 50])], tensors: [tensor])
        let signed = try SignedManifest(signing: manifest, with: Self.key)
        let back = try SignedManifest(verifying: signed.bytes, trust: Self.key.publicKey)
        #expect(back == signed && back.manifest == manifest)
        // The format of the contract: a line of hexadecimal signature, then JSON.
        let lines = signed.bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1)
        #expect(lines[0].count == 128)
        let object = try JSONSerialization.jsonObject(with: Data(lines[1])) as? [String: Any]
        #expect(object?["version"] as? Int == 9 && object?["weights_hash"] as? String == hash("w").hex)
    }

    @Test func anotherKeyOrDomainDoesNotCount() throws {
        let signed = try SignedManifest(signing: Self.manifest(), with: Self.key)
        #expect(throws: ShardcastError.self) {
            try SignedManifest(verifying: signed.bytes, trust: SigningKey().publicKey)
        }
        let json = Array(signed.bytes[129...])
        let foreign = Array(Hexadecimal.encode(Self.key.sign(domain: "apus/group/v1", json)).utf8) + [10] + json
        #expect(throws: ShardcastError.self) { try SignedManifest(verifying: foreign, trust: Self.key.publicKey) }
    }

    @Test func rulesAreEnforced() throws {
        let bad: [Manifest.File] = [
            Self.file("../model.safetensors", [1]), Self.file("model.bin", [1]), Self.file(".lock", [1]),
            Self.file("", [1]),
            Self.file("model.safetensors\0", [1]), Self.file("apus.manifest", [1]), Self.file("model.safetensors", []),
            Self.file("model.safetensors", [0]), Self.file("model.safetensors", [ShardPlan.maximumBytes + 1]),
            Manifest.File(
                name: "config.json", bytes: 5, sha256: hash("c"), shards: [.init(sha256: hash("c"), bytes: 4)]),
            Manifest.File(
                name: "config.json", bytes: 4, sha256: hash("d"), shards: [.init(sha256: hash("c"), bytes: 4)]),
            Manifest.File(
                name: "config.json", bytes: 9, sha256: hash("d"),
                shards: [.init(sha256: hash("c"), bytes: 4), .init(sha256: hash("c"), bytes: 5)]),
        ]
        for file in bad {
            #expect(throws: ShardcastError.self, "\(file.name) \(file.bytes)") {
                try Self.manifest(files: [file]).validate()
            }
        }
        #expect(throws: ShardcastError.self) { try Self.manifest(files: []).validate() }
        let twice = [Self.file("config.json", [3]), Self.file("config.json", [3])]
        #expect(throws: ShardcastError.self) { try Self.manifest(files: twice).validate() }
        #expect(throws: ShardcastError.self) { try Self.manifest(version: .max).validate() }
        try Self.manifest(files: [Self.file("model-00001-of-00002.safetensors", [1, 2])]).validate()
    }

    @Test func fileNamesAreAnAllowList() {
        for name in [
            "model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja",
            "model-00012-of-00100.safetensors",
        ] {
            #expect(FileName.isAllowed(name))
        }
        for name in [
            "model-0001-of-00002.safetensors", "model-0000a-of-00002.safetensors", "model-00001-of-00002.safetensors/",
            "a", "..",
            "Config.json", "model-00001-of-00002.safetensorsx", "model-00001-xx-00002.safetensors",
        ] { #expect(!FileName.isAllowed(name)) }
    }

    @Test func versionNamesHaveOneForm() {
        #expect(VersionNumber.parse(name: "v0") == 0 && VersionNumber.parse(name: "v18") == 18)
        #expect(VersionNumber.parse(name: VersionNumber.name(VersionNumber.maximum)) == VersionNumber.maximum)
        for name in [
            "", "v", "1", "v01", "v+1", "v-1", "v1 ", "V1", "v9223372036854775808", "v99999999999999999999", "v１",
        ] {
            #expect(VersionNumber.parse(name: name) == nil)
        }
    }

    @Test func shardsAreASixteenthWithinBounds() {
        #expect(ShardPlan.shardBytes(total: 1) == 64 << 10)
        #expect(ShardPlan.shardBytes(total: 64 << 20) == 4 << 20)
        #expect(ShardPlan.shardBytes(total: 64 << 20 + 1) == 4 << 20 + 1)
        #expect(ShardPlan.shardBytes(total: 1 << 40) == 32 << 20)
    }

    private func kindOf(json change: (inout [String: Any]) -> Void) throws -> ShardcastError.Kind? {
        let signed = try SignedManifest(signing: Self.manifest(), with: Self.key)
        var object = try #require(try JSONSerialization.jsonObject(with: Data(signed.bytes[129...])) as? [String: Any])
        change(&object)
        return kindOf(Array(try JSONSerialization.data(withJSONObject: object)))
    }

    private func kindOf(_ json: [UInt8]) -> ShardcastError.Kind? {
        let bytes = Array(Hexadecimal.encode(Self.key.sign(domain: SignedManifest.domain, json)).utf8) + [10] + json
        do throws(ShardcastError) {
            _ = try SignedManifest(verifying: bytes, trust: Self.key.publicKey)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func decodingIsStrictAndNamesTheSideThatMustUpgrade() throws {
        #expect(try kindOf { _ in } == nil)
        #expect(try kindOf { $0["extra"] = 1 } == .malformedManifest)
        #expect(try kindOf { $0["run"] = nil } == .malformedManifest)
        #expect(try kindOf { $0["version"] = -1 } == .malformedManifest)
        #expect(try kindOf { $0["version"] = 1.5 } == .malformedManifest)
        #expect(try kindOf { $0["version"] = "3" } == .malformedManifest)
        #expect(try kindOf { $0["run"] = "zz" } == .malformedManifest)
        #expect(try kindOf { $0["files"] = [["name": "config.json"]] } == .malformedManifest)
        #expect(try kindOf { $0["total_bytes"] = 151 } == .malformedManifest)
        // A newer schema may look entirely different.
        #expect(kindOf(Array(#"{"schema":4,"chunks":[]}"#.utf8)) == .unsupportedSchema)
        #expect(try kindOf { $0["schema"] = 0 } == .unsupportedSchema)
        for text in ["", "[]", "null", "{", "{\"schema\":1}", "\u{FEFF}{}", String(repeating: "[", count: 100_000)] {
            #expect(kindOf(Array(text.utf8)) == .malformedManifest)
        }
    }

    @Test func runExpiryAndClockAreChecked() throws {
        let signed = try SignedManifest(signing: Self.manifest(expires: 1_700_000_010_000), with: Self.key)
        try signed.check(run: hash("run"), now: 1_700_000_000_001)
        try signed.check(run: nil, now: 1_700_000_000_001)
        for (run, now, kind) in [
            (hash("other"), 1_700_000_000_001, .anotherRun), (hash("run"), 1_700_000_010_000, .expired),
            (hash("run"), 1_600_000_000_000, .expired),
        ] as [(Hash256, Int64, ShardcastError.Kind)] {
            do throws(ShardcastError) {
                try signed.check(run: run, now: now)
                Issue.record("not refused: \(kind)")
            } catch { #expect(error.kind == kind) }
        }
    }

    @Test func differencesWithoutAKindAreRefused() throws {
        #expect(throws: ShardcastError.self) { try Self.manifest(base: 2).validate() }
        #expect(try kindOf { $0["base"] = 2 } == .unsupportedSchema)
    }

    /// Mutated manifests: the envelope as received, and JSON that carries a valid signature.
    @Test func fuzzedManifestsNeitherCrashNorCount() async throws {
        let signed = try SignedManifest(signing: Self.manifest(), with: Self.key)
        let delta = try SignedManifest(signing: DeltaManifestTests.manifest(), with: Self.key)
        let envelopes = [signed.bytes, delta.bytes]
        let texts = envelopes.map { Array($0[129...]) }
        let words = [
            "-", "1e99", "99999999999999999999", "[[", "{}", #""\ud800""#, "null", "é", #""shards":[]"#, "delta",
        ]
        let memory = FuzzMemory()
        await Fuzz.run(atLeast: 3_000) { seed in
            var generator = FuzzGenerator(seed: seed)
            if seed % 2 == 0 {
                let bytes = Mutation.mutate(envelopes, words: words, using: &generator)
                // Only the case of the signature's digits may differ.
                if !envelopes.contains(bytes),
                    let back = try? SignedManifest(verifying: bytes, trust: Self.key.publicKey)
                {
                    #expect([signed.manifest, delta.manifest].contains(back.manifest), "APUS_FUZZ_SEED=\(seed)")
                }
            } else {
                _ = kindOf(Mutation.mutate(texts, words: words, using: &generator))
            }
        }
        if let growth = memory?.growth {
            print("peak memory rose by \(growth.resident) MiB, asked for \(growth.reserved) MiB")
            #expect(growth.resident < 128 && growth.reserved < 1024)
        }
    }
}
