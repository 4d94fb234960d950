import Foundation
import Proofs
import Roles
import Verification

/// The bounds of the `toploc` policy by name, as a report has them.
extension AuditReport {
    static func thresholds(_ policy: ForeignEnginePolicy) -> [String: Double] {
        [
            "exponent_mismatches": Double(policy.toploc.exponentMismatches),
            "mantissa_mean": policy.toploc.mantissaErrorMean, "mantissa_median": policy.toploc.mantissaErrorMedian,
            "sign_mismatches": Double(policy.toploc.signMismatches),
            "log_probability_median": policy.logProbabilityError, "margin_mean": policy.marginMean,
            "largest_margin": policy.largestMargin, "end_chance": policy.endFalseRejects,
            "copy_chance": policy.copyFalseRejects, "bimodal": policy.allowsBimodal ? 1 : 0,
        ]
    }

    /// Bounds by those names; nil where one is missing or none.
    private static func policy(_ thresholds: [String: Double]) -> ForeignEnginePolicy? {
        guard let exponents = thresholds["exponent_mismatches"].flatMap(Int.init(exactly:)),
            let signs = thresholds["sign_mismatches"].flatMap(Int.init(exactly:)),
            let mean = thresholds["mantissa_mean"], let median = thresholds["mantissa_median"],
            let logProbability = thresholds["log_probability_median"], let marginMean = thresholds["margin_mean"],
            let largestMargin = thresholds["largest_margin"], let end = thresholds["end_chance"],
            let copy = thresholds["copy_chance"], let bimodal = thresholds["bimodal"]
        else { return nil }
        return ForeignEnginePolicy(
            toploc: .init(
                exponentMismatches: exponents, mantissaErrorMean: mean, mantissaErrorMedian: median,
                signMismatches: signs),
            logProbabilityError: logProbability, marginMean: marginMean, largestMargin: largestMargin,
            endFalseRejects: end, copyFalseRejects: copy, allowsBimodal: bimodal == 1)
    }

    /// The bounds that an earlier report's honest foreign engine calibrated.
    ///
    /// - Throws: A ``RoleFailure`` where the file is no report with such an engine.
    static func calibrated(in path: String) throws -> ForeignEnginePolicy {
        struct Excerpt: Decodable {
            struct Foreign: Decodable { var thresholds: [String: Double] }
            var foreign: Foreign
        }
        let data = try Data(contentsOf: URL(filePath: path))
        guard let excerpt = try? JSONDecoder().decode(Excerpt.self, from: data),
            let policy = policy(excerpt.foreign.thresholds)
        else {
            throw RoleFailure(
                .badInput, "\(path) holds no thresholds of a foreign engine.",
                advice: "Give a report that apus audit-report --json wrote.")
        }
        return policy
    }
}
