import Identity
import Sampling
import Tensors
import Testing

@testable import Verification

@Suite struct HonestTests {
    @Test func everyHonestGroupIsAccepted() throws {
        let swarm = try Swarm()
        let terms = try (0..<240).map {
            try swarm.terms($0, parameters: Swarm.parameters(samples: 1 + $0 % 4, maximumTokens: 1 + ($0 * 7) % 70))
        }
        let evidence = try swarm.generate(terms)
        let results = try swarm.replayer.replay(zip(evidence, terms).map { ReplayRequest($0, terms: $1) })
        var tokens = 0
        for index in terms.indices {
            let verdict = Checks.judge(
                evidence[index], terms: terms[index], rules: swarm.rules, replay: results[index])
            guard case .accepted(let statistics) = verdict else {
                Issue.record("group \(index): \(verdict)")
                continue
            }
            #expect(statistics.exponentMismatches == 0 && statistics.mantissaErrorMean == 0)
            #expect(statistics.logProbabilityError == 0 && statistics.replayedTokens == statistics.tokens)
            tokens += statistics.tokens
        }
        #expect(tokens == evidence.flatMap(\.samples).reduce(0) { $0 + $1.tokens.count })
        #expect(tokens > 4000)
    }

    @Test func greedyAndOtherTemperaturesAreAccepted() throws {
        let swarm = try Swarm()
        for temperature in [0, 0.25, 2] as [Float] {
            var parameters = Swarm.parameters()
            parameters.temperature = temperature
            let terms = try swarm.terms(3, parameters: parameters)
            guard case .accepted = try swarm.verdict(swarm.generate(terms), terms) else {
                Issue.record("temperature \(temperature)")
                continue
            }
        }
    }

    @Test func honestGroupsPassTheForeignPolicyToo() throws {
        let swarm = try Swarm()
        var rules = swarm.rules
        rules.policy = .toploc(ForeignEnginePolicy())
        let terms = try swarm.terms(4)
        guard case .accepted(let statistics) = try swarm.verdict(swarm.generate(terms), terms, rules: rules) else {
            Issue.record("an honest group is rejected")
            return
        }
        #expect(statistics.replayedTokens == 0, "choices are not replayed for foreign engines")
    }
}
