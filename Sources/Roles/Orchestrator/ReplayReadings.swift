import Identity
import Messages

/// Which numbers verifiers gave for groups that they found good.
///
/// Tolerances compare a verifier's numbers with the worker's by medians, and so leave it free to write what it likes for
/// nearly half of the tokens. Two honest replays are equal to the bit: commitments, log-probabilities, tokens, rows.
final class ReplayReadings {
    /// How a replay stands to earlier ones of its group.
    struct Comparison: Equatable {
        /// Other verifiers that gave the same numbers.
        var equal: [PublicKey] = []
        /// Other verifiers that gave different ones.
        var unequal: [PublicKey] = []
    }

    private let database: RunDatabase
    /// SHA-256 of the samples beyond the first report, which is in the database.
    private var later: [Hash256: [PublicKey: Hash256]] = [:]

    init(database: RunDatabase) { self.database = database }

    /// Compares an encoded report with earlier ones of the group, and remembers it for later ones.
    ///
    /// - Throws: What the database says.
    func compare(_ report: [UInt8], by verifier: PublicKey, of group: Hash256) throws -> Comparison {
        let digest = try Self.digest(report)
        var earlier = later[group] ?? [:]
        if let first = try database.replay(group), let key = PublicKey(hex: first.verifier) {
            earlier[key] = try Self.digest(first.report)
        }
        later[group, default: [:]][verifier] = digest
        var comparison = Comparison()
        for (other, reading) in earlier.sorted(by: { $0.key.hex < $1.key.hex }) where other != verifier {
            if reading == digest { comparison.equal.append(other) } else { comparison.unequal.append(other) }
        }
        return comparison
    }

    /// Drops what was remembered of groups that nobody looks at any more.
    func forget(_ groups: [Hash256]) {
        for group in groups { later[group] = nil }
    }

    private static func digest(_ report: [UInt8]) throws -> Hash256 {
        SHA256.hash(SignedContent.auditSamples(try Wire.AuditReport(serializedBytes: report).samples))
    }
}
