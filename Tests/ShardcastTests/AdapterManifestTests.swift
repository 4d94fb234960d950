import Foundation
import Identity
import Testing

@testable import Shardcast

/// Versions that are adapters of a full one: their manifests.
@Suite("Adapter manifests") struct AdapterManifestTests {
    private static let files = [
        ManifestTests.file("adapter_config.json", [30]), ManifestTests.file("adapter_model.safetensors", [100, 50]),
    ]

    private static func manifest(
        files: [Manifest.File] = files, kind: VersionKind = .adapter, base: UInt64? = 0,
        baseWeightsHash: Hash256? = hash("base"), anchor: UInt64? = 0
    ) -> Manifest {
        Manifest(
            run: hash("run"), version: 3, step: 3, weightsHash: hash("w"), createdMilliseconds: 1_700_000_000_000,
            files: files, kind: kind, base: base, baseWeightsHash: baseWeightsHash, anchor: anchor)
    }

    @Test("signed bytes come back, in the schema that has adapters; full versions stay readable to older programs")
    func roundTrip() throws {
        let signed = try SignedManifest(signing: Self.manifest(), with: ManifestTests.key)
        let back = try SignedManifest(verifying: signed.bytes, trust: ManifestTests.key.publicKey)
        #expect(back == signed && back.manifest == Self.manifest())
        let json = String(decoding: signed.bytes[129...], as: UTF8.self)
        #expect(json.contains(#""schema":2"#) && json.contains(#""kind":"adapter""#))
        #expect(json.contains(#""base":0"#) && json.contains(#""base_weights_hash":"\#(hash("base").hex)""#))
        let full = try SignedManifest(signing: ManifestTests.manifest(), with: ManifestTests.key)
        let text = String(decoding: full.bytes[129...], as: UTF8.self)
        #expect(text.contains(#""schema":1"#) && !text.contains("kind") && !text.contains("base"))
    }

    @Test("an adapter needs a base with its hash, its two files and nothing else; a full version has none of that")
    func rules() throws {
        try Self.manifest().validate()
        let model = ManifestTests.file("model.safetensors", [100])
        let bad: [Manifest] = [
            Self.manifest(base: nil, anchor: nil), Self.manifest(base: 3, anchor: 3), Self.manifest(base: 7, anchor: 7),
            Self.manifest(baseWeightsHash: nil), Self.manifest(anchor: nil), Self.manifest(base: 2, anchor: 1),
            Self.manifest(base: .max, anchor: .max), Self.manifest(files: [Self.files[0]]),
            Self.manifest(files: [Self.files[1]]), Self.manifest(files: Self.files + [model]),
            Self.manifest(files: [model]), Self.manifest(kind: .full), Self.manifest(files: [model], kind: .full),
            Self.manifest(files: [model], kind: .full, base: nil, anchor: nil),
            Self.manifest(files: Self.files, kind: .full, base: nil, baseWeightsHash: nil, anchor: nil),
            Self.manifest(files: Self.files + [model], kind: .full, base: nil, baseWeightsHash: nil, anchor: nil),
        ]
        for manifest in bad {
            #expect(throws: ShardcastError.self) { try manifest.validate() }
            #expect(throws: ShardcastError.self) { try SignedManifest(signing: manifest, with: ManifestTests.key) }
        }
    }

    /// What a properly signed manifest is refused for.
    private func refusal(_ change: (inout [String: Any]) -> Void) throws -> ShardcastError.Kind? {
        let signed = try SignedManifest(signing: Self.manifest(), with: ManifestTests.key)
        var object = try #require(try JSONSerialization.jsonObject(with: Data(signed.bytes[129...])) as? [String: Any])
        change(&object)
        let json = Array(try JSONSerialization.data(withJSONObject: object))
        let signature = ManifestTests.key.sign(domain: SignedManifest.domain, json)
        do throws(ShardcastError) {
            _ = try SignedManifest(
                verifying: Array(Hexadecimal.encode(signature).utf8) + [10] + json, trust: ManifestTests.key.publicKey)
            return nil
        } catch { return error.kind }
    }

    @Test("decoding is strict, and an unknown kind asks for an upgrade")
    func decoding() throws {
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0["kind"] = "delta" } == .malformedManifest)
        #expect(try refusal { $0["kind"] = 1 } == .malformedManifest)
        #expect(try refusal { $0["kind"] = nil } == .unsupportedSchema)
        #expect(try refusal { $0["schema"] = 1 } == .malformedManifest)
        #expect(try refusal { $0["schema"] = 4 } == .unsupportedSchema)
        #expect(try refusal { $0["kind"] = "chain" } == .unsupportedSchema)
        #expect(try refusal { $0["base"] = -1 } == .malformedManifest)
        #expect(try refusal { $0["base"] = "0" } == .malformedManifest)
        #expect(try refusal { $0["base"] = 3 } == .malformedManifest)
        #expect(try refusal { $0["base_weights_hash"] = "00" } == .malformedManifest)
        #expect(try refusal { $0["base_weights_hash"] = nil } == .malformedManifest)
        #expect(try refusal { $0["anchor"] = nil } == .malformedManifest)
        #expect(try refusal { $0["bases"] = 0 } == .malformedManifest)
    }
}
