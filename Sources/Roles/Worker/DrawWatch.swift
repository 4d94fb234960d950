import Foundation
import Identity
import Messages
import Orchestration

/// What a worker remembers of the secrets by which its audits are drawn: that they do not change once they are fixed.
struct DrawWatch {
    private var epoch: UInt64?
    private var commitment = Data()
    private var next = Data()

    /// Takes in an epoch.
    ///
    /// - Returns: What is wrong with it, in one sentence; nil where it fits what was told before.
    mutating func take(_ told: Wire.DrawEpoch) -> String? {
        defer { (epoch, commitment, next) = (told.number, told.commitment, told.nextCommitment) }
        guard let epoch else { return nil }
        if told.number == epoch, told.commitment != commitment || told.nextCommitment != next {
            return "The lab changed the secret of epoch \(epoch) after it had committed to it."
        }
        guard told.number == epoch + 1 else { return nil }
        guard let secret = Hash256([UInt8](told.revealed)),
            Data(AuditDraw.commitment(to: secret).bytes) == commitment
        else { return "The secret that the lab told for epoch \(epoch) is not the one that it had committed to." }
        return told.commitment == next
            ? nil : "The secret of epoch \(told.number) is not the one that the lab had committed to."
    }
}

/// How often a worker's groups are audited, in words: `trusted: 1 of 12 groups is audited`.
struct TrustSentence: CustomStringConvertible {
    let description: String

    init(_ standing: Wire.Standing) {
        var parts: [String] = []
        switch standing.probability {
        case 0, AuditDraw.certain...: parts.append("every group is audited")
        case let share:
            parts.append(
                "trusted: 1 of \(Int((Double(AuditDraw.certain) / Double(share)).rounded())) groups is audited")
        }
        if standing.provisional > 0 {
            parts.append(
                "\(standing.provisional) groups provisional (\(Double(standing.unvested) / 1e9) GFLOP)")
        }
        description = parts.joined(separator: "; ")
    }
}
