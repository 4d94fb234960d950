import Identity
import Orchestration
import Testing

/// The audit of journals has to find what is wrong with one, or it proves nothing.
@Suite("The audit of journals")
struct JournalAuditTests {
    private let worker = SigningKey().publicKey
    private let first = SHA256.hash([1])
    private let second = SHA256.hash([2])

    private var journal: [Fact] {
        [
            published(0, step: 0), granted(1, slot: 0), granted(2, slot: 1), received(first, 1), received(second, 2),
            accepted(first, 1), accepted(second, 2), .batchCut(step: 1, groups: [first]), published(1, step: 1),
            .batchCut(step: 2, groups: [second]),
        ]
    }

    private func published(_ number: UInt64, step: UInt64, _ salt: UInt8 = 0) -> Fact {
        .versionPublished(
            version: PolicyVersion(number: number, weightsHash: SHA256.hash([UInt8(step), salt]), step: step))
    }
    private func granted(_ lease: UInt64, slot: UInt64) -> Fact {
        .leaseGranted(lease: lease, slot: slot, attempt: 0, worker: worker, version: 0, engine: nil)
    }
    private func received(_ group: Hash256, _ lease: UInt64) -> Fact {
        .groupReceived(group: group, lease: lease, tokens: 1, work: nil, content: nil, isAlwaysAudited: nil)
    }
    private func accepted(_ group: Hash256, _ audit: UInt64) -> Fact {
        .groupAccepted(group: group, audit: audit, rewards: [1], verifiedFLOPs: 5, withheld: 0, auditFLOPs: 5)
    }

    private func violations(_ facts: [Fact], groups: Int = 1, staleness: UInt64 = 2) -> Int {
        JournalAudit(facts, groupsPerBatch: groups, maximumStaleness: staleness).violations.count
    }

    @Test("A sound journal has no violation, and every kind of damage has one")
    func controls() {
        #expect(violations(journal) == 0)
        #expect(violations(journal + [received(first, 1)]) == 1)
        #expect(violations(journal + [accepted(first, 3)]) == 1)
        #expect(violations(journal + [.batchCut(step: 3, groups: [first])]) == 1)
        #expect(violations(journal + [.batchCut(step: 2, groups: [second])]) == 2)
        #expect(violations(journal, groups: 2) == 2)
        #expect(violations(journal, staleness: 0) == 1)
        #expect(violations(journal + [published(1, step: 1)]) == 1)
        #expect(violations(journal + [published(2, step: 1, 9)]) == 1)
        #expect(violations(journal.filter { $0 != accepted(second, 2) }) == 1)
    }
}
