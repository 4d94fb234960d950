import Identity
import Proofs
import Testing

@testable import Verification

/// A report that cannot answer its audit is the verifier's fault; the worker is never blamed for it.
@Suite struct VerifierFaultTests {
    @Test func malformedReportsAreInconclusive() throws {
        let swarm = try Swarm()
        let terms = try swarm.terms(11)
        let evidence = try swarm.generate(terms)
        let honest = try swarm.replayer.replay(ReplayRequest(evidence, terms: terms))
        let top = honest.samples[0].topRows[0]
        let far = try #require(
            TopRows(indices: Array(top.indices.dropLast()) + [1 << 20], bits: top.bits))
        let infinite = try #require(TopRows(indices: top.indices, bits: [0x7F80] + top.bits.dropFirst()))
        let short = try #require(TopRows(indices: Array(top.indices.dropLast()), bits: Array(top.bits.dropLast())))
        let edits: [(String, (inout ReplayResult) -> Void)] = [
            ("no samples", { $0.samples = [] }),
            ("one sample too few", { $0.samples.removeLast() }),
            ("one sample too many", { $0.samples.append($0.samples[0]) }),
            ("log-probabilities missing", { $0.samples[1].logProbabilities.removeLast() }),
            ("NaN", { $0.samples[1].logProbabilities[0] = .nan }),
            ("above zero", { $0.samples[1].logProbabilities[0] = 1 }),
            ("choices missing", { $0.samples[1].replayedTokens = [] }),
            ("choice outside", { $0.samples[1].replayedTokens[0] = -1 }),
            ("choice outside", { $0.samples[1].replayedTokens[0] = 128 }),
            ("margins missing", { $0.samples[1].margins = [] }),
            ("margin below zero", { $0.samples[1].margins[0] = -0.5 }),
            ("margin of the choice itself", { $0.samples[1].margins[0] = 0.5 }),
            ("NaN margin", { $0.samples[1].margins[0] = .nan }),
            ("commitment missing", { $0.samples[0].commitments.removeLast() }),
            ("commitment too many", { $0.samples[0].commitments.append(.zero) }),
            ("top rows missing", { $0.samples[0].topRows = [] }),
            ("top rows short", { $0.samples[0].topRows[0] = short }),
            ("top index outside", { $0.samples[0].topRows[0] = far }),
            ("top value infinite", { $0.samples[0].topRows[0] = infinite }),
        ]
        for (name, edit) in edits {
            var report = honest
            edit(&report)
            let verdict = Checks.judge(evidence, terms: terms, rules: swarm.rules, replay: report)
            guard case .inconclusive(let fault) = verdict else {
                Issue.record("\(name): \(verdict)")
                continue
            }
            #expect(!fault.reason.isEmpty)
        }
        guard case .accepted = Checks.judge(evidence, terms: terms, rules: swarm.rules, replay: honest) else {
            Issue.record("the honest report must pass")
            return
        }
    }

    /// A cheap rejection stands whatever the report looks like.
    @Test func cheapRejectionsComeFirst() throws {
        let swarm = try Swarm()
        let terms = try swarm.terms(1)
        var evidence = try swarm.generate(terms)
        evidence.samples.removeLast()
        let verdict = Checks.judge(evidence, terms: terms, rules: swarm.rules, replay: ReplayResult(samples: []))
        guard case .rejected(let rejection) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(rejection.check == "sample-count")
    }
}
