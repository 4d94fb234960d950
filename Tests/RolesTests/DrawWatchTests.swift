import Foundation
import Identity
import Messages
import Orchestration
import Testing

@testable import Roles

@Suite("What a worker is told about its audits")
struct DrawWatchTests {
    private func epoch(_ number: UInt64, secret: [UInt8] = [1], revealed: UInt64? = nil) -> Wire.DrawEpoch {
        func secretOf(_ epoch: UInt64) -> Hash256 { AuditDraw.secret(ofEpoch: epoch, runSecret: secret) }
        var message = Wire.DrawEpoch()
        message.number = number
        message.commitment = Data(AuditDraw.commitment(to: secretOf(number)).bytes)
        message.nextCommitment = Data(AuditDraw.commitment(to: secretOf(number + 1)).bytes)
        message.revealed = revealed.map { Data(secretOf($0).bytes) } ?? Data()
        return message
    }

    @Test("Secrets that are what was committed to raise no complaint, missed epochs neither")
    func honest() {
        var watch = DrawWatch()
        let told = [epoch(3), epoch(3), epoch(4, revealed: 3), epoch(5, revealed: 4), epoch(9, revealed: 8)]
        #expect(told.allSatisfy { watch.take($0) == nil })
    }

    @Test("A secret that changed after it was committed to is seen")
    func dishonest() {
        for told in [epoch(3, secret: [2]), epoch(4), epoch(4, revealed: 2), epoch(4, secret: [2], revealed: 3)] {
            var watch = DrawWatch()
            #expect(watch.take(epoch(3)) == nil)
            #expect(watch.take(told) != nil)
        }
    }

    @Test("How often groups are audited is said in words")
    func sentences() {
        var standing = Wire.Standing()
        #expect("\(TrustSentence(standing))" == "every group is audited")
        standing.probability = AuditDraw.certain
        #expect("\(TrustSentence(standing))" == "every group is audited")
        standing.probability = 83_333
        standing.provisional = 3
        standing.unvested = 6_000_000
        #expect(
            "\(TrustSentence(standing))"
                == "trusted: 1 of 12 groups is audited; 3 groups provisional (0.006 GFLOP)")
    }
}
