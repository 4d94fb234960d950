import Proofs
import Sampling

/// Whether a verifier's report can be an answer to its audit at all; if not, the verifier is at fault, not the worker.
enum ReportShape {
    /// What is wrong with the report, or nil.
    ///
    /// The evidence has passed every cheap check.
    static func fault(in report: ReplayResult, for evidence: GroupEvidence, _ rules: AuditRules) -> VerifierFault? {
        guard report.samples.count == evidence.samples.count else {
            return VerifierFault(
                reason: "The report has \(report.samples.count) samples instead of \(evidence.samples.count).")
        }
        for (index, sample) in report.samples.enumerated() {
            let tokens = evidence.samples[index].tokens.count
            if let reason = fault(in: sample, tokens: tokens, rules)
                ?? faultInMargins(of: sample, evidence.samples[index].tokens)
            {
                return VerifierFault(reason: "Sample \(index) of the report \(reason).")
            }
        }
        return nil
    }

    /// A margin says how far a claim lies below another token, so it is 0 where there is no other.
    private static func faultInMargins(of sample: ReplayedSample, _ tokens: [Int32]) -> String? {
        guard sample.margins.count == tokens.count else {
            return "has \(sample.margins.count) margins instead of \(tokens.count)"
        }
        for (position, margin) in sample.margins.enumerated() {
            let limit = sample.replayedTokens[position] == tokens[position] ? 0 : ChosenToken.largestMargin
            guard margin >= 0, margin <= limit else { return "has an impossible margin at position \(position)" }
        }
        return nil
    }

    private static func fault(in sample: ReplayedSample, tokens: Int, _ rules: AuditRules) -> String? {
        let chunks = rules.chunking.count(forRows: tokens)
        guard sample.logProbabilities.count == tokens else {
            return "has \(sample.logProbabilities.count) log-probabilities instead of \(tokens)"
        }
        guard sample.logProbabilities.allSatisfy(LogProbabilityRange.contains) else {
            return "has a log-probability that is no finite number below zero"
        }
        guard sample.replayedTokens.count == tokens else {
            return "has \(sample.replayedTokens.count) choices instead of \(tokens)"
        }
        guard sample.replayedTokens.allSatisfy({ $0 >= 0 && Int($0) < rules.vocabularySize }) else {
            return "has a choice outside the vocabulary"
        }
        guard sample.commitments.count == chunks, sample.topRows.count == chunks else {
            return
                "has \(sample.commitments.count) commitments and \(sample.topRows.count) top rows instead of \(chunks)"
        }
        for (chunk, top) in sample.topRows.enumerated() {
            let values = rules.chunking.range(ofChunk: chunk, rows: tokens).count * rules.hiddenSize
            let points = min(rules.chunking.topK, values)
            guard top.indices.count == points else {
                return "has \(top.indices.count) top values in chunk \(chunk) instead of \(points)"
            }
            guard top.indices.allSatisfy({ Int($0) < values }), top.bits.allSatisfy({ $0 & 0x7F80 != 0x7F80 }) else {
                return "has a top value in chunk \(chunk) that lies outside it or is not finite"
            }
        }
        return nil
    }
}
