import Foundation
import GRDB
import Identity
import Ledger
import Orchestration

/// Re-checks, from a run's journal alone, that audits were drawn by the secrets that had been committed to.
public struct DrawReview: Sendable {
    /// Draws of epochs that are over, each found to follow from its secret.
    public private(set) var checked = 0
    /// Draws of the present epoch, whose secret is not told yet.
    public private(set) var open = 0
    /// What does not fit, one sentence each; only the first few.
    public private(set) var violations: [String] = []

    private var commitments: [UInt64: Hash256] = [:]
    private var draws: [(group: Hash256, probability: UInt32, isDrawn: Bool)] = []

    /// Reads the journal of a database file, without changing it.
    ///
    /// - Throws: A `LedgerError` where there is no such file, `FactCodingError` where a fact is damaged.
    public init(path: String) throws {
        var review = DrawReview([])
        try Ledger.read(path) { database in
            try RunDatabase.forEachFact(in: database) { review.take($0) }
        }
        review.open = review.draws.count
        self = review
    }

    init(_ facts: [Fact]) {
        for fact in facts { take(fact) }
        open = draws.count
    }

    private mutating func take(_ fact: Fact) {
        switch fact {
        case .epochBegan(let epoch, let commitment, let next):
            if let known = commitments[epoch], known != commitment { complain("The secret of epoch \(epoch) changed.") }
            commitments = [epoch: commitment, epoch + 1: next]
        case .auditDrawn(let group, _, let probability, let isDrawn): draws.append((group, probability, isDrawn))
        case .epochRevealed(let epoch, let secret):
            guard commitments[epoch] == AuditDraw.commitment(to: secret) else {
                complain("The secret of epoch \(epoch) is not the one that was committed to.")
                draws = []
                return
            }
            for draw in draws {
                checked += 1
                let isDrawn = AuditDraw.isDrawn(draw.group, probability: draw.probability, secret: secret)
                if isDrawn != draw.isDrawn {
                    complain("The draw of group \(draw.group.hex.prefix(12)) does not follow from its epoch's secret.")
                }
            }
            draws = []
        default: break
        }
    }

    private mutating func complain(_ sentence: String) {
        if violations.count < 10 { violations.append(sentence) }
    }
}
