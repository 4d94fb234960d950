import Foundation
import Identity
import Testing

@testable import Shardcast

/// Manifests of versions that are differences, or offer one.
@Suite struct DeltaManifestTests {
    private static let stream = Manifest.Delta(
        bytes: 30, sha256: hash("stream"),
        shards: [.init(sha256: hash("a"), bytes: 20), .init(sha256: hash("b"), bytes: 10)])
    private static let weights = Manifest.File(name: "model.safetensors", bytes: 500, sha256: hash("m"), shards: [])
    private static let whole = ManifestTests.file("model.safetensors", [100, 50])
    private static let companion = ManifestTests.file("config.json", [30])

    private static func manifest(
        files: [Manifest.File] = [companion, weights], kind: VersionKind = .delta, base: UInt64? = 6,
        baseWeightsHash: Hash256? = hash("base"), anchor: UInt64? = 2, delta: Manifest.Delta? = stream
    ) -> Manifest {
        Manifest(
            run: hash("run"), version: 7, step: 3, weightsHash: hash("w"), createdMilliseconds: 1_700_000_000_000,
            files: files, kind: kind, base: base, baseWeightsHash: baseWeightsHash, anchor: anchor, delta: delta)
    }

    @Test func signedBytesComeBack() throws {
        let offering = Self.manifest(files: [Self.companion, Self.whole], kind: .full, anchor: nil)
        for manifest in [Self.manifest(), offering] {
            let signed = try SignedManifest(signing: manifest, with: ManifestTests.key)
            let back = try SignedManifest(verifying: signed.bytes, trust: ManifestTests.key.publicKey)
            #expect(back.manifest == manifest && manifest.schema == 3)
        }
        #expect(Self.manifest().neededBase == 6 && offering.neededBase == nil)
        #expect(offering.shards.map(\.bytes) == [20, 10, 30, 100, 50])
    }

    @Test func rulesAreEnforced() {
        let longShards = Manifest.Delta(
            bytes: ShardPlan.maximumBytes + 1, sha256: hash("x"),
            shards: [.init(sha256: hash("x"), bytes: ShardPlan.maximumBytes + 1)])
        let bad: [Manifest] = [
            Self.manifest(base: nil), Self.manifest(baseWeightsHash: nil), Self.manifest(anchor: nil),
            Self.manifest(delta: nil), Self.manifest(base: 7), Self.manifest(anchor: 7),
            Self.manifest(base: 3, anchor: 4),
            Self.manifest(files: [Self.companion]), Self.manifest(files: [Self.companion, Self.whole]),
            Self.manifest(files: [
                Manifest.File(name: "config.json", bytes: 3, sha256: hash("c"), shards: []), Self.weights,
            ]),
            Self.manifest(files: [Self.weights, ManifestTests.file("adapter_config.json", [4])]),
            Self.manifest(delta: .init(bytes: 31, sha256: hash("s"), shards: Self.stream.shards)),
            Self.manifest(delta: .init(bytes: 0, sha256: hash("s"), shards: [])),
            Self.manifest(delta: .init(bytes: 20, sha256: hash("s"), shards: [Self.stream.shards[0]])),
            Self.manifest(delta: longShards),
            // Whole versions: a difference needs its base and the other way round, and there is no anchor.
            Self.manifest(files: [Self.whole], kind: .full),
            Self.manifest(files: [Self.whole], kind: .full, anchor: nil, delta: nil),
            Self.manifest(files: [Self.whole], kind: .full, base: nil, anchor: nil),
            Self.manifest(files: [Self.weights], kind: .full, anchor: nil),
        ]
        for (index, manifest) in bad.enumerated() {
            #expect(throws: ShardcastError.self, "\(index)") { try manifest.validate() }
        }
    }

    @Test func olderSchemasHaveNoDifferences() throws {
        let signed = try SignedManifest(signing: Self.manifest(), with: ManifestTests.key)
        for schema in [1, 2] {
            let text = String(decoding: signed.bytes[129...], as: UTF8.self)
                .replacingOccurrences(of: #""schema":3"#, with: #""schema":\#(schema)"#)
            let json = Array(text.utf8)
            let bytes =
                Array(Hexadecimal.encode(ManifestTests.key.sign(domain: SignedManifest.domain, json)).utf8) + [10]
                + json
            #expect(throws: ShardcastError.self) {
                try SignedManifest(verifying: bytes, trust: ManifestTests.key.publicKey)
            }
        }
    }
}
