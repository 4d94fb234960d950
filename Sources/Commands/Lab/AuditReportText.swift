import Adversaries
import Foundation
import Verification

/// A report for people.
struct AuditReportText {
    private let report: AuditReport

    init(_ report: AuditReport) { self.report = report }

    var lines: [String] {
        header + [""] + honest + [""] + attacks + [""] + foreign + [""] + verifiers + costs + conclusion
    }

    private var header: [String] {
        let (model, settings) = (report.model, report.settings)
        return [
            "model      \(model.path), \(model.parameters) parameters, weights \(model.weightsHash.prefix(16))",
            "prompts    \(model.prompts); groups of \(settings.samples), up to \(settings.maxTokens) tokens",
            "previous   \(model.previous)",
        ]
    }

    /// "0 of 4096, at most 0.073 %".
    private func rate(_ proportion: Proportion) -> String {
        let (low, high) = (proportion.interval.lowerBound, proportion.interval.upperBound)
        let text = "\(proportion.count) of \(proportion.total)"
        if proportion.count == 0 { return text + String(format: ", at most %.3f %%", 100 * high) }
        if proportion.count == proportion.total { return text + String(format: ", at least %.3f %%", 100 * low) }
        return text + String(format: ", %.2f to %.2f %%", 100 * low, 100 * high)
    }

    private func checks(_ tally: VerdictTally) -> String {
        let names = tally.rejected.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
        return (names + (tally.inconclusive > 0 ? ["no verdict \(tally.inconclusive)"] : [])).joined(separator: ", ")
    }

    private var honest: [String] {
        guard !report.honest.isEmpty else { return [] }
        var lines = ["HONEST ROLLOUTS                                            rollouts   tokens  rejected"]
        for item in report.honest {
            let worker = "\(item.row) × \(item.threads) \(item.alone ? "alone" : "shared")"
            let verifier = "\(item.verifierRow) × \(item.verifierThreads)"
            lines.append(
                pad("  \(worker), verified by \(verifier)", 58) + left(item.exact.total, 9) + left(item.tokens, 9)
                    + left(item.exact.total - item.exact.accepted, 10))
        }
        let (exact, toploc) = (report.honestTotal(\.exact), report.honestTotal(\.toploc))
        let crossed = report.honest.filter { $0.row != $0.verifierRow }.reduce(into: VerdictTally()) {
            $0.merge($1.exact)
        }
        lines.append("  false rejects, exact    \(rate(exact.rejection))  \(checks(exact))")
        lines.append("  false rejects, toploc   \(rate(toploc.rejection))  \(checks(toploc))")
        if crossed.total > 0 {
            lines.append("  another row than declared, exact: accepted \(rate(crossed.acceptance))")
        }
        let names = Checks.submission.map(\.name) + Checks.replay.map(\.name)
        let rejecting = Set(exact.rejected.keys).union(toploc.rejected.keys).sorted()
        let silent = names.filter { !rejecting.contains($0) }
        for name in rejecting {
            lines.append("    \(name): exact \(exact.rejected[name] ?? 0), toploc \(toploc.rejected[name] ?? 0)")
        }
        lines.append("    never, by either policy: \(silent.joined(separator: ", "))")
        return lines
    }

    private var attacks: [String] {
        guard !report.attacks.isEmpty else { return [] }
        var lines = [
            "ATTACKS                     no-ops  effective  rejected: exact    toploc  calibrated  over time   deciding check (exact)"
        ]
        for item in report.attacks {
            func share(_ tally: VerdictTally) -> String {
                tally.total == 0 ? "-" : String(format: "%.2f %%", 100 * tally.rejection.rate)
            }
            lines.append(
                pad("  \(item.name)", 28) + left(item.unchanged, 6) + left(item.effective, 11)
                    + left(share(item.exact), 17) + left(share(item.toploc), 10) + left(share(item.calibrated), 12)
                    + left(item.seenOverTime ? "seen" : "-", 11) + "   " + checks(item.exact))
        }
        let worst = report.attacks.filter { $0.effective > 0 }.max {
            ($0.falseAccepts.rate, $0.falseAccepts.high) < ($1.falseAccepts.rate, $1.falseAccepts.high)
        }
        if let worst {
            lines.append("  false accepts, exact: at worst \(worst.name), \(rate(worst.exact.acceptance))")
        }
        if let reward = report.forgedReward {
            lines.append("  forged reward: \(reward.count) of \(reward.total) payloads refused (no field for one)")
        }
        return lines
    }

    private var foreign: [String] {
        guard let foreign = report.foreign else { return [] }
        let engine =
            foreign.server.map { "the foreign engine at \($0)" }
            ?? String(
                format: "honest foreign engine simulated with a relative deviation of %g", foreign.noise ?? 0)
        var lines = [
            "TOPLOC POLICY, \(engine)",
            "  rejected: standard thresholds \(rate(foreign.toploc.rejection))  \(checks(foreign.toploc))",
        ]
        if let given = foreign.calibrated {
            lines.append("  rejected: thresholds given    \(rate(given.rejection))  \(checks(given))")
        }
        lines += [
            String(
                format: "  margins of all %llu tokens: mean %.3g, %.2f %% are not the dictated token",
                foreign.margins.tokens, foreign.margins.mean,
                100 * Double(foreign.margins.differing) / Double(max(1, foreign.margins.tokens))),
            "  statistic                 standard   it needs           median   largest (or least)",
        ]
        for (name, threshold) in foreign.thresholds.sorted(by: { $0.key < $1.key }) {
            let spread = foreign.statistics[name]
            let isLowerBound = name == "end_chance" || name == "copy_chance"
            let extreme = isLowerBound ? spread?.least : spread?.largest
            lines.append(
                pad("  \(name)", 26) + left(number(report.standardThresholds[name]), 10) + left(number(threshold), 12)
                    + left(number(spread?.median), 17) + left(number(extreme), 21))
        }
        return lines
    }

    private var verifiers: [String] {
        guard !report.verifiers.isEmpty else { return [] }
        return [
            "VERIFIERS (groups)          honest groups accepted   forged groups accepted"
        ]
            + report.verifiers.map { item in
                pad("  \(item.name)", 28) + left("\(item.onHonest.accepted) of \(item.onHonest.total)", 22)
                    + left("\(item.onForged.accepted) of \(item.onForged.total)", 25)
            }
    }

    private var costs: [String] {
        report.costs.map { item in
            String(
                format:
                    "cost       batch %d: verification takes %.3f of generation's processor time (%.3f ms per token)",
                item.batch, item.ratio, 1000 * item.verificationSeconds / Double(max(1, item.tokens)))
        }
    }

    private var conclusion: [String] {
        [
            report.faults.isEmpty
                ? String(format: "passed in %.0f s", report.seconds)
                : String(format: "FAILED in %.0f s", report.seconds)
        ]
    }

    private func number(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value > 1e18 ? "none" : String(format: "%.4g", value)
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func left(_ value: some CustomStringConvertible, _ width: Int) -> String {
        let text = value.description
        return String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
