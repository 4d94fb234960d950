import EnvironmentKit
import Foundation
import Identity
import JSON
import Messages
import Sampling
import Tensors
import Testing
import Transformer
import Verification

@testable import Orchestration
@testable import Roles

/// What a ban without an audit rests on: written, exported, and repeated from the file.
@Suite("Evidence of a ban that no audit led to", .timeLimit(.minutes(1)))
struct BanEvidenceTests {
    private let root = NSTemporaryDirectory() + "apus-bans-\(UUID().uuidString)"
    private let worker = SigningKey()
    private let keys = NodeKeys()
    private let kernels: Kernels
    private let pool = ComputePool(threads: 1)
    private let weights: ModelWeights
    private let database: RunDatabase
    private let desk: AuditDesk

    init() throws {
        kernels = try .preferred()
        weights = try ModelWeights(
            master: ModelInitializer.random(ModelShape.nano.configuration, seed: 3), kernels: kernels, pool: pool)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let rows = (0..<40).map { #"{"prompt":"What is \#($0)?","answer":"\#($0)"}"# }
        try (rows.joined(separator: "\n") + "\n").write(
            toFile: root + "/data.jsonl", atomically: true, encoding: .utf8)
        let context = RunContext(
            id: .zero, name: "r", directory: RunDirectory(root), keys: keys, relays: [],
            tasks: TaskBook(
                environment: try DatasetEnvironment(options: ["path": .string(root + "/data.jsonl")]),
                prompts: try Fixture.encoder(), rule: .init(limit: 100, skipsLong: false), secret: [1]),
            sampling: SamplingParameters(samples: 1, maximumTokens: 4, stopTokens: [2]), vocabularySize: 300,
            arithmeticVersion: ArithmeticVersion.current, heartbeatMilliseconds: 1)
        database = try RunDatabase(path: root + "/orchestrator.sqlite", run: .zero)
        desk = AuditDesk(
            context: context, database: database, model: weights.configuration, policies: AuditPolicies(native: .exact)
        ) { _ in SHA256.hash([6]) }
    }

    private func lease(_ phase: LeaseRecord.Phase = .live) -> (record: LeaseRecord, version: PolicyVersion) {
        (
            LeaseRecord(slot: 3, attempt: 0, worker: worker.publicKey, version: 0, engine: "", phase: phase),
            PolicyVersion(number: 0, weightsHash: weights.weightsHash, step: 0)
        )
    }

    private func group(lease: UInt64 = 5, group: UInt8 = 6, token: UInt32 = 7) -> RunDatabase.StoredGroup {
        var payload = Wire.GroupPayload()
        payload.schemaVersion = SchemaVersion.current
        payload.arithmeticVersion = ArithmeticVersion.current
        payload.runID = .init(Hash256.zero.bytes)
        payload.leaseID = lease
        payload.groupID = .init(SHA256.hash([group]).bytes)
        payload.workerKey = .init(worker.publicKey.rawBytes)
        payload.weightsHash = .init(weights.weightsHash.bytes)
        payload.environmentHash = .init(Hash256.zero.bytes)
        payload.sampling = SamplingParameters(samples: 1, maximumTokens: 4, stopTokens: [2]).wire
        var sample = Wire.Sample()
        sample.tokens = [token]
        sample.finishReason = .length
        payload.samples = [sample]
        return signed(payload.signedBytes)
    }

    private func signed(_ bytes: [UInt8]) -> RunDatabase.StoredGroup {
        RunDatabase.StoredGroup(
            hash: SHA256.hash(bytes), payload: bytes, signature: worker.sign(domain: SignatureDomain.group, bytes))
    }

    private func receive(_ group: RunDatabase.StoredGroup, _ phase: LeaseRecord.Phase = .live) throws
        -> Orchestration.Finding
    {
        try #require(
            desk.receive(
                group.payload, signature: group.signature, hash: group.hash, from: worker.publicKey, leaseID: 5,
                lease: lease(phase)
            ).failure)
    }

    /// Writes the evidence and reads it back as `apus evidence export` does.
    private func exported(
        _ finding: Orchestration.Finding, _ group: RunDatabase.StoredGroup, earlier: RunDatabase.StoredGroup? = nil
    ) throws -> EvidenceBundle {
        var turn = RunDatabase.Turn()
        turn.evidence = [
            try desk.evidence(ofBan: finding, group: group, leaseID: 5, lease: lease(), earlier: earlier)
        ]
        try database.commit(turn)
        let archive = EvidenceArchive(database: root + "/orchestrator.sqlite")
        #expect(try archive.entries().contains { $0.group == group.hash && $0.check == finding.check })
        return try archive.bundle(group: group.hash.hex)
    }

    private func review(_ bundle: EvidenceBundle) throws -> EvidenceReview {
        try EvidenceReviewer(kernels: kernels, pool: pool).review(
            EvidenceBundle(parsing: bundle.bytes), lab: keys.signing.publicKey
        ) { weights }
    }

    private let equivocation = Orchestration.Finding(check: "equivocation", reason: "Two.", severity: .slash)

    @Test("Two groups for one lease, both signed, are confirmed without weights")
    func twoGroups() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let file = try exported(equivocation, group(token: 8), earlier: group())
        let result = try EvidenceReviewer(kernels: kernels, pool: pool).review(file) {
            Issue.record("no weights are needed")
            return weights
        }
        #expect(result.outcome == .confirmed && result.isEarlierSigned == true)
        #expect(result.lines.contains { $0.hasPrefix("earlier ") && $0.contains("holds") })
    }

    @Test("A wrong signature, one group twice, or groups of two leases or runs refute it")
    func forgedTwoGroups() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let lab = keys.signing
        let file = try exported(equivocation, group(token: 8), earlier: group())
        let other = group(lease: 4)
        let edits: [(inout EvidenceBundle) -> Void] = [
            { $0.signature[3] ^= 1 }, { $0.earlier?.signature[3] ^= 1 }, { $0.earlier?.bytes.append(0) },
            { $0.earlier = EvidencePayload(bytes: $0.payload, signature: $0.signature) },
            { $0.earlier = EvidencePayload(bytes: other.payload, signature: other.signature) },
            { $0.terms.workerKey = lab.publicKey },
        ]
        for (index, edit) in edits.enumerated() {
            var forged = file
            edit(&forged)
            #expect(try review(forged.sealed(by: lab)).outcome.exitCode == 1, "edit \(index)")
            #expect(try review(forged).outcome.exitCode == 2, "edit \(index), not sealed again")
        }
        var single = file
        single.earlier = nil
        #expect(try review(single.sealed(by: lab)).outcome.exitCode == 2)
    }

    @Test("Another group's payload, and bytes that are no group, are confirmed under the lab's seal")
    func cheapChecks() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (group, check) in [(group(group: 9), "replayed-group"), (signed([1, 2, 3]), "schema")] {
            let finding = try receive(group)
            #expect(finding.check == check)
            let file = try exported(finding, group)
            let result = try review(file)
            #expect(result.outcome == .confirmed && result.isSealedByLab && file.reports.isEmpty)
            var forged = file
            forged.signature[3] ^= 1
            #expect(try review(forged.sealed(by: keys.signing)).outcome.exitCode == 2, "nobody's group")
        }
    }

    @Test("What does not itself name the lease is no second group: refused, and nobody is blamed")
    func noSecondGroup() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let taken = LeaseRecord.Phase.submitted(group().hash)
        #expect(try receive(group(lease: 4), taken).severity == .refuse)
        #expect(try receive(signed([1, 2, 3]), taken).severity == .refuse)
        #expect(try receive(group(token: 8), taken).severity != .refuse)
        #expect(try receive(group(lease: 4)).severity == .soft)
    }
}
