import Adversaries
import Foundation
import Verification

/// Everything that `apus audit-report` counted, as it is written to a file.
struct AuditReport: Codable {
    struct Model: Codable {
        var path: String
        var weightsHash: String
        var parameters: Int
        var prompts: String
        var previous: String
    }

    struct Settings: Codable {
        var samples: Int
        var maxTokens: Int
        var seed: UInt64
        var rows: [String]
        var threads: [Int]
    }

    /// A count with its rate and 95 % interval.
    struct Rate: Codable {
        var count: Int
        var total: Int
        var rate: Double
        var low: Double
        var high: Double

        init(_ proportion: Proportion) {
            (count, total, rate) = (proportion.count, proportion.total, proportion.rate)
            (low, high) = (proportion.interval.lowerBound, proportion.interval.upperBound)
        }
    }

    struct Honest: Codable {
        var row: String
        var threads: Int
        var alone: Bool
        var verifierRow: String
        var verifierThreads: Int
        var tokens: Int
        var exact: VerdictTally
        var toploc: VerdictTally

        init(_ outcome: HonestOutcome) {
            (row, threads, alone) = (outcome.row.rawValue, outcome.threads, outcome.alone)
            (verifierRow, verifierThreads) = (outcome.verifierRow.rawValue, outcome.verifierThreads)
            (tokens, exact, toploc) = (outcome.tokens, outcome.exact, outcome.toploc)
        }
    }

    struct Foreign: Codable {
        /// The deviation of the simulation; absent where a server generated.
        var noise: Float?
        /// The server and the groups that it was asked for; absent where none was.
        var server: String?
        var toploc: VerdictTally
        /// By the thresholds that were given; absent where none were.
        var calibrated: VerdictTally?
        var exact: VerdictTally
        var statistics: [String: Spread]
        var margins: MarginTally
        /// The tightest that none of these rollouts exceeds.
        var thresholds: [String: Double]

        init(_ outcome: ForeignOutcome, server: String? = nil) {
            (noise, toploc, exact, margins) = (outcome.noise, outcome.toploc, outcome.exact, outcome.margins)
            self.server = server
            calibrated = outcome.calibratedBefore.total > 0 ? outcome.calibratedBefore : nil
            statistics = Spread.all(outcome.measured)
            thresholds = AuditReport.thresholds(outcome.calibrated)
        }
    }

    struct Attack: Codable {
        var name: String
        var summary: String
        var rollouts: Int
        var unchanged: Int
        var effective: Int
        var exact: VerdictTally
        var toploc: VerdictTally
        var calibrated: VerdictTally
        var alone: [String: Int]
        var statistics: [String: Spread]
        var margins: MarginTally
        /// Whether the margins of all these rollouts together show what one rollout may not: a mean above twice the honest
        /// foreign engine's, by five standard errors.
        var seenOverTime: Bool
        /// The false-accept rate under `exact`.
        var falseAccepts: Rate

        init(_ outcome: AttackOutcome, honest: MarginTally) {
            (name, summary, rollouts) = (outcome.name, outcome.summary, outcome.rollouts)
            (unchanged, effective) = (outcome.unchanged, outcome.effective)
            (exact, toploc, calibrated, alone) = (outcome.exact, outcome.toploc, outcome.calibrated, outcome.alone)
            statistics = Spread.all(outcome.measured)
            margins = outcome.margins
            seenOverTime = outcome.margins.exceeds(2 * honest.mean)
            falseAccepts = Rate(outcome.exact.acceptance)
        }
    }

    struct Verifier: Codable {
        var name: String
        var summary: String
        var onHonest: VerdictTally
        var onForged: VerdictTally

        init(_ outcome: VerifierOutcome) {
            (name, summary, onHonest, onForged) = (
                outcome.name, outcome.summary, outcome.onHonest, outcome.onForged
            )
        }
    }

    struct Cost: Codable {
        var batch: Int
        var tokens: Int
        var generationSeconds: Double
        var verificationSeconds: Double
        var ratio: Double
        var screeningRatio: Double

        init(_ outcome: CostOutcome) {
            (batch, tokens) = (outcome.batch, outcome.tokens)
            (ratio, screeningRatio) = (outcome.ratio, outcome.screeningRatio)
            (generationSeconds, verificationSeconds) = (outcome.generation, outcome.verification)
        }
    }

    /// Where a statistic lies over some rollouts.
    struct Spread: Codable {
        var least: Double
        var median: Double
        var largest: Double

        init?(_ values: [Double]) {
            let sorted = values.sorted()
            guard let first = sorted.first, let last = sorted.last else { return nil }
            (least, median, largest) = (first, sorted[sorted.count / 2], last)
        }

        /// Of every statistic that has a threshold, and of the largest error of a log-probability.
        static func all(_ measured: [AuditStatistics]) -> [String: Spread] {
            let values: [String: (AuditStatistics) -> Double] = [
                "exponent_mismatches": { Double($0.exponentMismatches) }, "mantissa_mean": { $0.mantissaErrorMean },
                "mantissa_median": { $0.mantissaErrorMedian }, "sign_mismatches": { Double($0.signMismatches) },
                "log_probability_median": { $0.logProbabilityMedian }, "margin_mean": { $0.marginMean },
                "largest_margin": { $0.largestMargin }, "end_chance": { $0.endChance },
                "copy_chance": { $0.copyChance }, "bimodal": { Double($0.bimodalSamples) },
                "log_probability_error": { $0.logProbabilityError },
            ]
            return values.compactMapValues { value in Spread(measured.map(value).filter { $0 < 1e18 }) }
        }
    }

    var model: Model
    var settings: Settings
    var honest: [Honest] = []
    var foreign: Foreign?
    /// The thresholds of a run that sets none.
    var standardThresholds = Self.thresholds(ForeignEnginePolicy())
    var attacks: [Attack] = []
    var verifiers: [Verifier] = []
    var forgedReward: Rate?
    var costs: [Cost] = []
    var seconds = 0.0

    init(model: Model, settings: Settings) {
        self.model = model
        self.settings = settings
    }

    /// All honest rollouts under one policy.
    func honestTotal(_ tally: KeyPath<Honest, VerdictTally>) -> VerdictTally {
        honest.reduce(into: VerdictTally()) { $0.merge($1[keyPath: tally]) }
    }

    /// What must not happen, in sentences; a report without any passes.
    var faults: [String] {
        var faults: [String] = []
        let exact = honestTotal(\.exact)
        if exact.accepted != exact.total {
            faults.append("\(exact.total - exact.accepted) of \(exact.total) honest rollouts were not accepted.")
        }
        if let foreign, foreign.server != nil, foreign.toploc.accepted != foreign.toploc.total {
            let refused = foreign.toploc.total - foreign.toploc.accepted
            faults.append("\(refused) of \(foreign.toploc.total) rollouts of the server were not accepted.")
        }
        for attack in attacks where attack.exact.rejection.count != attack.effective {
            let passed = attack.effective - attack.exact.rejection.count
            faults.append("\(passed) of \(attack.effective) effective rollouts of \(attack.name) were not rejected.")
        }
        for verifier in verifiers {
            // Nobody can tell a colluder from its own report; a lazy or lying one must never be believed about a cheat.
            if verifier.name != "colluding-verifier", verifier.onForged.accepted > 0 {
                faults.append("\(verifier.name): \(verifier.onForged.accepted) forged groups were accepted.")
            }
            if verifier.name == "lazy-verifier", verifier.onHonest.accepted > 0 {
                faults.append("\(verifier.name): \(verifier.onHonest.accepted) made-up reports were believed.")
            }
            if verifier.name == "honest-verifier", verifier.onHonest.accepted != verifier.onHonest.total {
                faults.append("The second opinion rejects honest groups.")
            }
        }
        if let forgedReward, forgedReward.count != forgedReward.total {
            faults.append("A group with a reward of the worker's own was taken in.")
        }
        return faults
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(filePath: path), options: .atomic)
    }
}
