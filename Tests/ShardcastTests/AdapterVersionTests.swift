import Foundation
import Identity
import Testing

@testable import Shardcast

/// Adapters on their way from an origin to a client that may or may not have the base.
@Suite("Adapter versions", .serialized) struct AdapterVersionTests {
    private func publish(_ lab: Lab, _ version: UInt64, base: UInt64 = 0, hash baseHash: Hash256? = nil) throws {
        let folder = lab.scratch("adapter \(version)")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, bytes) in [
            ("adapter_config.json", Array("{}".utf8)), ("adapter_model.safetensors", noise(900, seed: version)),
        ] {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        try lab.origin.publish(
            adapterDirectory: folder,
            of: BaseVersion(version: base, weightsHash: baseHash ?? hash("weights \(base)")), version: version,
            step: version, weightsHash: hash("weights \(version)"))
    }

    @Test("a client that joins gets both, one that has the base only the adapter; the base outlives all pruning")
    func joining() async throws {
        let lab = try Lab()
        let origin = try await lab.relay()
        let relay = try await lab.cachingRelay(upstreams: [origin.url]) { $0.limits.cachedVersions = 2 }
        let client = try lab.client(relay.url)
        try lab.publish(0)
        for version in UInt64(1)...4 { try publish(lab, version) }
        // The relay hears of a version by long poll; until then it has none of that number.
        _ = try await client.waitForVersion(after: 3, timeout: .seconds(30))
        let joined = try await client.fetch(version: 4, weightsHash: hash("weights 4"))
        #expect(joined.manifest.kind == .adapter && joined.bytesTransferred > 164_900)
        #expect(contents("\(joined.path)/adapter_model.safetensors") == noise(900, seed: 4))
        let base = try #require(joined.basePath)
        #expect(contents("\(base)/model.safetensors") == noise(164_000, seed: 0))

        try publish(lab, 5)
        #expect(try lab.origin.prune(keeping: 1) == [1, 2, 3, 4])
        #expect(lab.origin.versions == [0, 5])
        _ = try await client.waitForVersion(after: 4, timeout: .seconds(30))
        let next = try await client.fetch(version: 5)
        #expect(next.basePath == base && next.bytesTransferred < 3000)
        #expect(try client.prune(keeping: 1) == [4])
        #expect(client.installedVersions == [0, 5])

        // A newcomer at a relay whose cache has room for two versions only.
        let late = try lab.client(relay.url, directory: "late")
        #expect(try await late.fetch(version: 5).basePath != nil)

        // A full version ends the chain: the old base may go.
        try lab.publish(6)
        #expect(try lab.origin.prune(keeping: 1) == [0, 5])
        await client.shutDown()
        await late.shutDown()
        try await relay.stop()
        try await origin.stop()
    }

    @Test("an adapter cannot be published without its base")
    func publishing() throws {
        let lab = try Lab()
        #expect(throws: ShardcastError.self) { try publish(lab, 1) }
        try lab.publish(0)
        #expect(throws: ShardcastError.self) { try publish(lab, 1, hash: hash("other")) }
        try publish(lab, 1)
        #expect(throws: ShardcastError.self) { try publish(lab, 2, base: 1, hash: hash("weights 1")) }
        #expect(lab.origin.versions == [0, 1])
        // Repeating a publication changes nothing.
        try publish(lab, 1)
        // The number stays free after a refusal.
        try publish(lab, 2)
    }

    @Test("a base with other weights, or one that is an adapter, is refused by the client")
    func wrongBase() async throws {
        let lab = try Lab()
        try lab.publish(0)
        try publish(lab, 1)
        try publish(lab, 2)
        // The trusted key signs nonsense: version 2 on top of version 1, or on a version 0 with other weights.
        let honest = contents(lab.scratch("origin") + "/manifests/v2")
        for (field, value) in [("base", 1), ("base_weights_hash", hash("other").hex)] as [(String, Any)] {
            var object = try #require(
                try JSONSerialization.jsonObject(with: Data(honest[129...])) as? [String: Any])
            object[field] = value
            if field == "base" { object["anchor"] = value }
            let json = Array(try JSONSerialization.data(withJSONObject: object))
            let line = Array(Hexadecimal.encode(lab.key.sign(domain: SignedManifest.domain, json)).utf8)
            let server = try await hostileCopy(of: lab) { path, body in
                path.hasSuffix("/v2") || path.hasSuffix("/latest") ? line + [10] + json : body
            }
            let client = try lab.client(server.url, directory: "client \(field)")
            let refusal = await kind { _ = try await client.fetch(version: 2, timeout: .seconds(20)) }
            #expect(refusal == (field == "base" ? .malformedManifest : .conflictingManifest))
            await client.shutDown()
        }
    }

    @Test("a base that nobody has any more is a fetch that fails in time, not a hang")
    func missingBase() async throws {
        let lab = try Lab()
        try lab.publish(0)
        try publish(lab, 1)
        let server = try await hostileCopy(of: lab) { path, body in path.hasSuffix("/v0") ? nil : body }
        let client = try lab.client(server.url)
        let refusal = await kind { _ = try await client.fetch(version: 1, timeout: .seconds(3)) }
        #expect(refusal != nil)
        #expect(client.installedVersions == [1])
        await client.shutDown()
    }
}
