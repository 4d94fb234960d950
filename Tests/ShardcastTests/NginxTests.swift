import Foundation
import Identity
import Testing

@testable import Shardcast

/// An origin directory is plain files: a real nginx serves it, caches it, and speaks TLS for it.
@Suite(
    .serialized, .enabled(if: Nginx.program != nil, "there is no nginx on this machine; `scripts/nginx.sh` fetches one")
) struct NginxTests {
    @Test func servesWholeVersionsAndDifferences() async throws {
        let lab = try Lab()
        let weights = try DeltaVersionTests.publish(6, into: lab.origin, lab.scratch)
        let nginx = try await Nginx(lab.scratch, "root \(lab.scratch("origin"));")
        let client = try lab.client("http://127.0.0.1:\(nginx.port)")
        let news = try await client.waitForVersion(after: nil, timeout: .seconds(60))
        #expect(news.version == 6)
        for version: UInt64 in [1, 2, 3, 6] {
            let fetched = try await client.fetch(version: version)
            #expect(contents("\(fetched.path)/model.safetensors") == weights[version])
            #expect(fetched.startedFrom == (version == 1 ? nil : version == 6 ? 3 : version - 1))
        }
        await client.shutDown()
        // A caching relay behind nginx, a client behind that; and news without a long poll.
        let relay = try await lab.cachingRelay(upstreams: ["http://127.0.0.1:\(nginx.port)"])
        let late = try lab.client(relay.url, directory: "late")
        _ = try await late.waitForVersion(after: 5, timeout: .seconds(60))
        async let next = late.waitForVersion(after: 6, timeout: .seconds(60))
        let more = try DeltaVersionTests.publish(1, into: lab.origin, lab.scratch, from: 7)
        #expect(try await next.version == 7)
        let fetched = try await late.fetch(version: 7)
        #expect(contents("\(fetched.path)/model.safetensors") == more[7])
        await late.shutDown()
        try await relay.stop()
        nginx.stop()
    }

    @Test func hiddenFilesOfThePublisherNeedTheRuleThatTheDocsGive() async throws {
        let lab = try Lab()
        _ = try DeltaVersionTests.publish(1, into: lab.origin, lab.scratch)
        let nginx = try await Nginx(
            lab.scratch, "root \(lab.scratch("origin")); location ~ /\\. { return 404; }")
        #expect(try await get("http://127.0.0.1:\(nginx.port)/manifests/v1").status == 200)
        for path in [".head/model.safetensors", ".retired/v1", "manifests/.x"] {
            #expect(try await get("http://127.0.0.1:\(nginx.port)/\(path)").status == 404)
        }
        nginx.stop()
    }

    /// The configuration of docs/fan-out.md: many clients, one transfer from the relay behind, long polls passed through.
    @Test func standsInFrontOfARelayAsACache() async throws {
        let lab = try Lab()
        let relay = try await lab.relay()
        let nginx = try await Nginx(
            lab.scratch,
            """
            location /shards/ {
              proxy_pass \(relay.url); proxy_http_version 1.1; proxy_set_header Connection "";
              proxy_cache weights; proxy_cache_valid 200 1d; proxy_cache_lock on; proxy_cache_key $uri;
            }
            location /manifests/ {
              proxy_pass \(relay.url); proxy_http_version 1.1; proxy_set_header Connection ""; proxy_read_timeout 75s;
            }
            """,
            http: "proxy_cache_path \(lab.scratch("nginx-cache")) keys_zone=weights:1m max_size=1g inactive=1d;")
        let clients = try (0..<4).map {
            try lab.client("http://127.0.0.1:\(nginx.port)", directory: "client\($0)")
        }
        async let waiting = clients[0].waitForVersion(after: nil, timeout: .seconds(60))
        try lab.publish(1, bytes: 2_000_000)
        #expect(try await waiting.version == 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients {
                group.addTask {
                    let fetched = try await client.fetch(version: 1)
                    #expect(contents("\(fetched.path)/model.safetensors") == noise(2_000_000, seed: 1))
                }
            }
            try await group.waitForAll()
        }
        let metrics = try await get("\(relay.url)/metrics").text
        let sent = metrics.split(separator: "\n").first { $0.hasPrefix("apus_relay_sent_bytes_total ") }
        #expect((UInt64(sent?.split(separator: " ").last ?? "") ?? .max) < 2_300_000, "each shard once, and manifests")
        for client in clients { await client.shutDown() }
        nginx.stop()
        try await relay.stop()
    }

    /// A server's key and certificate, which is its own authority.
    private static func certificate(_ lab: Lab) throws -> (key: String, certificate: String) {
        let (key, certificate) = (lab.scratch("key.pem"), lab.scratch("certificate.pem"))
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", certificate, "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        return (key, certificate)
    }

    private static func server(_ lab: Lab, _ key: String, _ certificate: String) async throws -> Nginx {
        try await Nginx(
            lab.scratch, "ssl_certificate \(certificate); ssl_certificate_key \(key); root \(lab.scratch("origin"));",
            listen: " ssl")
    }

    @Test func certificatesOfStrangersAreRefused() async throws {
        let lab = try Lab()
        try lab.publish(1)
        let (key, certificate) = try Self.certificate(lab)
        let nginx = try await Self.server(lab, key, certificate)
        let client = try lab.client("https://127.0.0.1:\(nginx.port)")
        do {
            _ = try await client.fetch(version: 1, timeout: .seconds(2))
            Issue.record("a certificate that nobody vouches for was accepted")
        } catch {
            #expect(error.kind == .unreachable)
        }
        #expect(client.installedVersions.isEmpty)
        await client.shutDown()
        nginx.stop()
    }

    /// In a process of its own, whose environment names the authority.
    @Test func certificatesOfAnAuthorityThatIsTrustedAreGood() async throws {
        await #expect(processExitsWith: .success) {
            let lab = try Lab()
            try lab.publish(1)
            let (key, certificate) = try Self.certificate(lab)
            let nginx = try await Self.server(lab, key, certificate)
            setenv(TrustedAuthorities.variable, certificate, 1)
            let client = try lab.client("https://127.0.0.1:\(nginx.port)")
            let fetched = try await client.fetch(version: 1, timeout: .seconds(60))
            #expect(fetched.version == 1)
            await client.shutDown()
            let relay = try await lab.cachingRelay(upstreams: ["https://localhost:\(nginx.port)"])
            let second = try lab.client(relay.url, directory: "second")
            #expect(try await second.fetch(version: 1, timeout: .seconds(60)).version == 1)
            await second.shutDown()
            try await relay.stop()
            nginx.stop()
        }
    }

    @Test func authoritiesThatCannotBeReadAreSaid() throws {
        let lab = try Lab()
        #expect(try TrustedAuthorities.configuration([:]) == nil)
        for path in ["/nonexistent", lab.scratch("origin")] {
            let error = #expect(throws: ShardcastError.self) {
                try TrustedAuthorities.configuration([TrustedAuthorities.variable: path])
            }
            #expect(error?.kind == .invalidConfiguration && error?.message.contains(path) == true)
        }
    }
}
