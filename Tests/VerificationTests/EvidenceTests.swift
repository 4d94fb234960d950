import Fuzzing
import Identity
import Proofs
import Sampling
import Testing

@testable import Verification

/// Evidence files: what is written is read back to the bit, and what strangers write never traps.
@Suite struct EvidenceTests {
    private static let lab = SigningKey(seed: [UInt8](repeating: 3, count: 32))

    private func bundle(_ finding: EvidenceFinding = .accepted, policy: AuditPolicy = .exact) throws -> EvidenceBundle {
        let swarm = try Swarm()
        var terms = try swarm.terms(2)
        terms.engine = policy == .exact ? "" : "openai"
        var rules = swarm.rules
        rules.policy = policy
        return EvidenceBundle(
            payload: (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }, signature: [UInt8](repeating: 9, count: 64),
            terms: terms, rules: EvidenceRules(rules), finding: finding,
            reports: [
                EvidenceReport(verifier: try Swarm.key(8), bytes: [1, 2, 3]),
                EvidenceReport(verifier: try Swarm.key(9), bytes: []),
            ])
    }

    private var rejection: Rejection {
        Rejection(
            check: "commitment", reason: "Other rows – á.", severity: .slash,
            place: .init(sample: 3, position: 70_000), expected: "aa", found: "bb")
    }

    @Test func everythingComesBack() throws {
        let lab = try #require(Self.lab)
        var double = try bundle(.rejected(rejection))
        double.earlier = EvidencePayload(bytes: [4, 5, 6], signature: [UInt8](repeating: 8, count: 64))
        // What older programs wrote reads as before, so it has to be written as before: the seal is over the bytes.
        #expect(try bundle().bytes[8] == 1 && double.bytes[8] == 2)
        for bundle in [
            try bundle(), try bundle(.rejected(rejection)), try bundle(policy: .toploc(ForeignEnginePolicy())), double,
        ] {
            let read = try EvidenceBundle(parsing: bundle.bytes)
            #expect(read == bundle && read.hasValidSeal == nil)
            let sealed = bundle.sealed(by: lab)
            let again = try EvidenceBundle(parsing: sealed.bytes)
            #expect(again == sealed && again.hasValidSeal == true && again.seal?.key == lab.publicKey)
        }
    }

    @Test func sealCoversEverything() throws {
        var double = try bundle(.rejected(rejection))
        double.earlier = EvidencePayload(bytes: [4, 5, 6], signature: [7])
        let sealed = double.sealed(by: try #require(Self.lab))
        let edits: [(inout EvidenceBundle) -> Void] = [
            { $0.payload[5] ^= 1 }, { $0.signature[0] ^= 1 }, { $0.terms.leaseID += 1 },
            { $0.terms.parameters.stopTokens.append(4) }, { $0.rules.arithmeticVersion += 1 },
            { $0.rules.policy = .toploc(ForeignEnginePolicy()) }, { $0.finding = .accepted },
            { $0.earlier = nil }, { $0.earlier?.bytes[1] ^= 1 }, { $0.earlier?.signature[0] ^= 1 },
            { $0.reports.removeLast() }, { $0.reports[0].bytes.append(0) }, { $0.terms.engine = "other" },
        ]
        for (index, edit) in edits.enumerated() {
            var changed = sealed
            edit(&changed)
            #expect(changed.hasValidSeal == false, "edit \(index)")
        }
    }

    @Test func longTextsAreCutBetweenCharacters() throws {
        let long = Rejection(
            check: "x", reason: String(repeating: "é", count: 5000), expected: "",
            found: String(repeating: "a", count: 9000))
        let read = try EvidenceBundle(parsing: bundle(.rejected(long)).bytes)
        guard case .rejected(let back) = read.finding else {
            Issue.record("the finding is gone")
            return
        }
        #expect(back.reason == String(repeating: "é", count: 2048) && back.found.utf8.count == 4096)
    }

    private func failure(_ bytes: [UInt8]) -> EvidenceError? {
        do throws(EvidenceError) {
            _ = try EvidenceBundle(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyRuleRejects() throws {
        let good = try bundle(.rejected(rejection)).bytes
        #expect(failure(good) == nil)
        #expect(failure([]) == .notEvidence)
        #expect(failure([UInt8]("APUSEVIL".utf8) + good.dropFirst(8)) == .notEvidence)
        var other = good
        other[8] = 3
        #expect(failure(other) == .version(3))
        other[8] = 0
        #expect(failure(other) == .version(0))
        #expect(failure(good + [0]) == .trailingBytes(1))
        var flag = good
        flag[flag.count - 1] = 7
        #expect(failure(flag) == .invalid(field: "the seal"))
        // The payload's length, the first after the version, claims more than the file has and than a frame may hold.
        var length = good
        length.replaceSubrange(12..<16, with: [0xFF, 0xFF, 0xFF, 0x01])
        #expect(failure(length) == .truncated(field: "the payload"))
        length.replaceSubrange(12..<16, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(
            failure(length)
                == .beyondLimit(
                    field: "the length of the payload", value: UInt64(UInt32.max), limit: EvidenceLimits.partBytes))
        for cut in stride(from: 0, to: good.count, by: 3) { #expect(failure(Array(good[..<cut])) != nil) }
        var double = try bundle()
        double.earlier = EvidencePayload(bytes: [4, 5, 6], signature: [7])
        let second = double.bytes
        // Behind the payload and its signature, each behind its length.
        let place = 12 + 4 + double.payload.count + 4 + double.signature.count
        for cut in stride(from: 0, to: second.count, by: 3) { #expect(failure(Array(second[..<cut])) != nil) }
        var claim = second
        claim.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(
            failure(claim)
                == .beyondLimit(
                    field: "the length of the earlier payload", value: UInt64(UInt32.max),
                    limit: EvidenceLimits.partBytes))
    }

    /// A NaN or a negative zero among the numbers would not come back as it was.
    @Test func oddNumbersAreRefused() throws {
        var odd = try bundle()
        odd.terms.parameters.temperature = .nan
        #expect(failure(odd.bytes) == .invalid(field: "temperature"))
        for error in [-0.0, .infinity, .nan, -1] {
            let policy = ForeignEnginePolicy(logProbabilityError: error)
            #expect(failure(try bundle(policy: .toploc(policy)).bytes) == .invalid(field: "the thresholds"))
        }
    }

    @Test func mutatedFilesNeverTrap() async throws {
        var double = try bundle(.rejected(rejection))
        double.earlier = EvidencePayload(bytes: [4, 5, 6], signature: [UInt8](repeating: 8, count: 64))
        let originals = [
            try bundle().bytes, double.bytes, try bundle(.rejected(rejection)).sealed(by: try #require(Self.lab)).bytes,
            try bundle(policy: .toploc(ForeignEnginePolicy())).bytes,
        ]
        var parsed = 0
        await Fuzz.run(atLeast: 4000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = Mutation.mutate(originals, interesting: [0, 1, 0x7F, 0x80, 0xFF], using: &generator)
            guard let read = try? EvidenceBundle(parsing: bytes) else { return }
            parsed += 1
            #expect(read.bytes == bytes, "APUS_FUZZ_SEED=\(seed)")
        }
        if Fuzz.isBounded { #expect(parsed > 100) }
    }
}
