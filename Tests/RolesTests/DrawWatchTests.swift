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

    @Test("A journal's draws are re-checked; one that does not follow from its secret is named")
    func review() {
        func secret(_ epoch: UInt64) -> Hash256 { AuditDraw.secret(ofEpoch: epoch, runSecret: [1]) }
        func began(_ epoch: UInt64) -> Fact {
            .epochBegan(
                epoch: epoch, commitment: AuditDraw.commitment(to: secret(epoch)),
                next: AuditDraw.commitment(to: secret(epoch + 1)))
        }
        func drawn(_ salt: UInt8, _ epoch: UInt64, isHonest: Bool = true) -> Fact {
            let group = SHA256.hash([salt])
            let isDrawn = AuditDraw.isDrawn(group, probability: 500_000, secret: secret(epoch))
            return .auditDrawn(group: group, epoch: epoch, probability: 500_000, isDrawn: isDrawn == isHonest)
        }
        let honest =
            [began(0)] + (0..<20).map { drawn($0, 0) } + [.epochRevealed(epoch: 0, secret: secret(0)), began(1)]
        let review = DrawReview(honest + [drawn(99, 1)])
        #expect(review.checked == 20 && review.open == 1 && review.violations.isEmpty)
        let end: [Fact] = [.epochRevealed(epoch: 0, secret: secret(0))]
        #expect(DrawReview([began(0), drawn(1, 0, isHonest: false)] + end).violations.count == 1)
        #expect(DrawReview([began(0), .epochRevealed(epoch: 0, secret: secret(1))]).violations.count == 1)
        #expect(
            DrawReview([began(0)] + end + [.epochBegan(epoch: 1, commitment: .zero, next: .zero)]).violations.count == 1
        )
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
