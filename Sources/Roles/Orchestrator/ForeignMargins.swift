import Foundation
import Identity
import Orchestration
import Verification

/// How far the tokens of each worker under tolerances lie from those that the noise dictates, over all of its groups, as
/// each verifier reported it.
///
/// What a single group cannot show, ten thousand tokens do: a worker that picks among tokens now and then, or computes
/// with coarser weights than it says, has a mean that no honest engine has. Margins are a verifier's word, and nothing in
/// a single report binds them: so what each verifier says stays apart, and a worker is refused only where two of them say
/// the same.
struct ForeignMargins: Sendable {
    /// The mean margin, in units of logit ÷ temperature, twenty times what honest engines have over many samples; of one
    /// sample ten times as much is borne (docs/foreign-engines.md).
    static let limit = 0.005

    /// The tallies of each worker, by the verifier that reported them.
    private var tallies: [PublicKey: [PublicKey: MarginTally]]

    init(_ tallies: [PublicKey: [PublicKey: MarginTally]] = [:]) {
        self.tallies = tallies
    }

    /// Adds an accepted group, and returns what its verifier has reported of the worker since it joined.
    mutating func add(_ margins: MarginTally, of worker: PublicKey, by verifier: PublicKey) -> MarginTally {
        tallies[worker, default: [:]][verifier, default: MarginTally()].merge(margins)
        return tallies[worker]?[verifier] ?? margins
    }

    /// What speaks against a worker; nil where nothing does for certain, or where one verifier of several says so alone.
    ///
    /// - Parameter verifiers: Those that audit in this run and are not banned; only their words count. Where it is one, its
    ///   word decides, as with every other finding.
    func finding(against worker: PublicKey, verifiers: Set<PublicKey>) -> Finding? {
        let convinced = tallies[worker, default: [:]].filter {
            verifiers.contains($0.key) && $0.value.exceeds(Self.limit)
        }
        guard convinced.count >= min(2, verifiers.count) else { return nil }
        // The one that claims least is named: everybody who was counted says as much.
        let bounds = convinced.values.map { (bound: $0.lowerBound(deviations: 5), tokens: $0.tokens) }
        guard let least = bounds.min(by: { $0.bound < $1.bound }) else { return nil }
        return Finding(
            check: "margin-total",
            reason:
                "By the reports of \(convinced.count == 1 ? "the only verifier" : "\(convinced.count) verifiers"), the mean "
                + "margin to the dictated tokens is above \(least.bound) over \(least.tokens) tokens, with five standard "
                + "errors to spare; at most \(Self.limit) is an engine's own difference.",
            severity: .soft)
    }
}
