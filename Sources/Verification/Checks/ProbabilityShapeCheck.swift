import Foundation

/// `probability-shape`: a sample whose tokens are mostly near-certain and else close to impossible was written by another
/// model and only read by this one.
///
/// A heuristic for which no bound on false rejections holds: an honest policy may be sure of most tokens and undecided among
/// very many for the others. It looks at samples of a chunk or more, and asks for all three signs: half of the tokens certain,
/// a tenth next to impossible, and a gap between.
struct ProbabilityShapeCheck: ReplayCheck {
    let name = "probability-shape"

    private static let shortestSample = 32
    private static let (certain, certainShare) = (0.9, 0.5)
    private static let (impossible, impossibleShare) = (0.001, 0.1)
    /// Sarle's coefficient of a uniform distribution; two separate heaps lie above it.
    private static let bimodality = 5.0 / 9

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        guard case .toploc(let foreign) = rules.policy else { return }
        for (index, sample) in replay.samples.enumerated() where sample.logProbabilities.count >= Self.shortestSample {
            let values = sample.logProbabilities.map { exp(Double($0)) }
            guard Self.isBimodal(values) else { continue }
            guard foreign.allowsBimodal else {
                throw Rejection(
                    check: name, reason: "The tokens' probabilities are those of another model's text.",
                    place: .init(sample: index), expected: "one heap of probabilities", found: "two")
            }
            statistics.bimodalSamples += 1
        }
    }

    static func isBimodal(_ values: [Double]) -> Bool {
        let count = Double(values.count)
        guard Double(values.count { $0 > certain }) >= certainShare * count,
            Double(values.count { $0 < impossible }) >= impossibleShare * count
        else { return false }
        let mean = values.reduce(0, +) / count
        func moment(_ power: Double) -> Double { values.reduce(0) { $0 + pow($1 - mean, power) } / count }
        let variance = moment(2)
        guard variance > 0 else { return false }
        let skewness = moment(3) / pow(variance, 1.5)
        return (skewness * skewness + 1) / (moment(4) / (variance * variance)) > bimodality
    }
}
