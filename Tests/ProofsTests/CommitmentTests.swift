import Identity
import Testing

@testable import Proofs

@Suite struct CommitmentTests {
    private let key = SigningKey(seed: [UInt8](repeating: 7, count: 32))?.publicKey
    private let rows: [UInt16] = [0x3F80, 0x1234, 0x8000, 0xC000]

    private func commitment(
        _ rows: [UInt16]? = nil, key: PublicKey? = nil, group: Hash256 = .zero, sample: UInt32 = 1, chunk: UInt32 = 2
    ) throws -> Hash256 {
        let key = try #require(key ?? self.key)
        return try (rows ?? self.rows).withUnsafeBufferPointer {
            try Commitment.make(rows: $0, workerKey: key, groupID: group, sample: sample, chunk: chunk)
        }
    }

    @Test func coversExactlyTheStatedBytes() throws {
        let key = try #require(self.key)
        var message = [UInt8]("apus/commit/v1".utf8) + key.rawBytes + [UInt8](repeating: 0, count: 32)
        message += [1, 0, 0, 0, 2, 0, 0, 0]
        message += [0x80, 0x3F, 0x34, 0x12, 0x00, 0x80, 0x00, 0xC0]
        #expect(try commitment() == SHA256.hash(message))
    }

    @Test func everyPartMatters() throws {
        let base = try commitment()
        let otherKey = try #require(SigningKey(seed: [UInt8](repeating: 8, count: 32))).publicKey
        var changed = rows
        changed[3] ^= 1
        let all = try [
            base, commitment(changed), commitment(key: otherKey), commitment(group: SHA256.hash([1])),
            commitment(sample: 0), commitment(chunk: 3), commitment(rows.dropLast()),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test(arguments: [0x7F80, 0xFF80, 0x7FC0, 0xFFFF] as [UInt16])
    func nonFiniteRowsAreNeverHashed(bits: UInt16) {
        var bad = rows
        bad[2] = bits
        #expect(throws: NonFiniteRows(sample: 1, chunk: 2, position: 2)) { try commitment(bad) }
    }

    @Test func largestFiniteIsFine() throws {
        _ = try commitment([0x7F7F, 0xFF7F])
    }
}
