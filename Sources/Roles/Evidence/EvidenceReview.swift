import Identity
import Orchestration
import Verification

/// What came out when an evidence file was re-checked.
public struct EvidenceReview: Sendable {
    /// Whether the lab's finding holds on this machine.
    public enum Outcome: Sendable, Hashable {
        /// This machine comes to the same conclusion.
        case confirmed
        /// This machine comes to another one; the sentence says which.
        case refuted(String)
        /// Neither: the sentence says what is missing.
        case unknown(String)

        /// What scripts branch on: 0 confirmed, 1 refuted, 2 cannot be re-checked.
        public var exitCode: Int32 {
            switch self {
            case .confirmed: 0
            case .refuted: 1
            case .unknown: 2
            }
        }
    }

    /// One verifier's report, compared with this machine's replay.
    public struct Report: Sendable, Hashable {
        /// Who signed it.
        public let verifier: PublicKey
        /// Whether it can be read and its signature holds.
        public let isSigned: Bool
        /// Whether it equals this machine's replay; nil where there is none to compare with.
        public let isEqual: Bool?
    }

    /// SHA-256 of the payload: the group's name in the run's records.
    public let group: Hash256
    /// The file itself.
    public let bundle: EvidenceBundle
    /// The lab's key as the caller knows it, from somewhere else than the file; nil where nobody named it.
    public let lab: PublicKey?
    /// Whether the worker's signature over the payload holds.
    public internal(set) var isSigned = false
    /// Whether the worker's signature over the earlier payload holds; nil where the file has none.
    public internal(set) var isEarlierSigned: Bool?
    /// The reports in the file.
    public internal(set) var reports: [Report] = []
    /// This machine's own judgement; nil where it could not come to one.
    public internal(set) var judgement: Verdict?
    /// Whether the finding holds.
    public internal(set) var outcome = Outcome.unknown("nothing was looked at yet")

    init(_ bundle: EvidenceBundle, lab: PublicKey?) {
        self.bundle = bundle
        self.lab = lab
        group = SHA256.hash(bundle.payload)
    }

    /// Checks that say something about other groups or the lab's own records, which a replay cannot decide.
    static let undecidable: Set<String> = ["reward"]

    /// Checks that compare the signed group with the lease, whose terms are the word of whoever sealed the file.
    static let restingOnTerms: Set<String> = [
        "worker-key", "lease", "replayed-group", "engine", "weights", "environment", "prompt", "sampling-parameters",
    ]

    /// Whether the seal holds and is of the key that the caller named.
    public var isSealedByLab: Bool { lab != nil && bundle.seal?.key == lab && bundle.hasValidSeal == true }

    /// Why the terms are not known to be the lab's.
    private var sealObstacle: String {
        guard let seal = bundle.seal else { return "nobody sealed it" }
        guard let lab else { return "anybody can seal a file (this one is sealed by \(seal.key.hex))" }
        return "it is sealed by \(seal.key.hex), not by \(lab.hex)"
    }

    /// Whether a rejection could have been brought about by the terms or the bounds alone, over an honest group.
    private func restsOnTheSeal(_ found: Rejection) -> Bool {
        Self.restingOnTerms.contains(found.check) || bundle.rules.policy != .exact || !bundle.terms.engine.isEmpty
    }

    /// Compares this machine's judgement with the finding.
    mutating func conclude(_ verdict: Verdict) {
        judgement = verdict
        let claimant = isSealedByLab ? "the lab" : "the file"
        switch (bundle.finding, verdict) {
        case (_, .inconclusive(let fault)): outcome = .unknown(fault.reason)
        case (.accepted, .accepted): outcome = .confirmed
        case (.accepted, .rejected(let found)):
            outcome = .refuted("\(claimant) accepted the group, and this machine rejects it by \(found.check)")
        case (.rejected(let claimed), .accepted) where Self.undecidable.contains(claimed.check):
            outcome = .unknown("\(claimed.check) rests on more than one group, and this one alone is sound")
        case (.rejected(let claimed), .accepted):
            outcome = .refuted(
                "\(claimant) rejected the group by \(claimed.check), and this machine finds nothing wrong")
        case (.rejected(let claimed), .rejected(let found)):
            // Another check may come first where both sides stop at the first that fails; a lighter one is another claim.
            guard found.severity.rank >= claimed.severity.rank else {
                outcome = .refuted(
                    "\(claimant) rejected the group by \(claimed.check) (\(claimed.severity)), and this machine only by "
                        + "\(found.check) (\(found.severity)), which costs the worker less")
                return
            }
            outcome =
                isSealedByLab || !restsOnTheSeal(found)
                ? .confirmed
                : .unknown(
                    "\(found.check) rests on what the file says was leased, and \(sealObstacle): name the lab's key, from "
                        + "its join address, with --lab")
        }
    }
}

extension Rejection.Severity {
    /// Heavier is higher.
    fileprivate var rank: Int {
        switch self {
        case .discard: 0
        case .softStrike: 1
        case .slash: 2
        }
    }
}
