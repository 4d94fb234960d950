import Foundation
import Identity
import Orchestration
import Verification

/// How far the tokens of each worker under tolerances lie from those that the noise dictates, over all of its groups.
///
/// What a single group cannot show, ten thousand tokens do: a worker that picks among tokens now and then, or computes
/// with coarser weights than it says, has a mean that no honest engine has.
struct ForeignMargins: Sendable {
    /// The mean margin, in units of logit ÷ temperature, twenty times what honest engines have over many samples; of one
    /// sample ten times as much is borne (docs/foreign-engines.md).
    static let limit = 0.005

    private var tallies: [PublicKey: MarginTally]

    init(_ tallies: [PublicKey: MarginTally] = [:]) {
        self.tallies = tallies
    }

    /// Adds an accepted group, and returns the worker's tally since it joined.
    mutating func add(_ margins: MarginTally, of worker: PublicKey) -> MarginTally {
        tallies[worker, default: MarginTally()].merge(margins)
        return tallies[worker] ?? margins
    }

    /// What speaks against the worker of a tally; nil where nothing does for certain.
    static func finding(_ tally: MarginTally) -> Finding? {
        guard tally.exceeds(limit) else { return nil }
        let bound = tally.lowerBound(deviations: 5)
        return Finding(
            check: "margin-total",
            reason:
                "Over \(tally.tokens) tokens, the mean margin to the dictated ones is above \(bound), with five standard "
                + "errors to spare; at most \(limit) is an engine's own difference.",
            severity: .soft)
    }
}
