import Sampling
import Tensors
import Testing
import Transformer
import Verification

@testable import Adversaries

/// The release gate, small: honest rollouts are accepted, every attack that changes anything is rejected.
@Suite struct AuditSuiteTests {
    /// A nano model whose distributions are far from uniform, so that honest policies differ from sharp ones.
    static func suite(
        rows: [KernelRow] = [.scalar], threads: [Int] = [1], seed: UInt64 = 3, foreignTopK: Int = 0
    ) throws -> AuditSuite {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 1)
        for index in master.layout.embedding.range { master.values[index] *= 4 }
        let lab = AttackLab(
            weights: try ModelWeights(master: master, kernels: kernels, pool: pool),
            prompts: PromptSet(vocabularySize: 128, seed: seed), kernels: kernels, pool: pool, seed: seed)
        var settings = AuditSuite.Settings(stopTokens: [10, 11, 12], rows: rows, threads: threads)
        settings.samples = 4
        settings.maximumTokens = 40
        settings.foreignTopK = foreignTopK
        return AuditSuite(lab, settings)
    }

    @Test func honestRolloutsAreAcceptedEverywhere() throws {
        let outcomes = try Self.suite(rows: KernelRow.available, threads: [1, 2]).honest(rollouts: 400)
        #expect(outcomes.count == 4 * KernelRow.available.count)
        #expect(outcomes.reduce(0) { $0 + $1.exact.total } >= 400)
        for outcome in outcomes {
            #expect(outcome.exact.accepted == outcome.exact.total, "\(outcome)")
            #expect(outcome.toploc.accepted == outcome.toploc.total, "\(outcome)")
        }
    }

    @Test(arguments: AttackCatalogue.all.map(\.name))
    func effectiveAttacksAreRejected(name: String) throws {
        let attack = try #require(AttackCatalogue.attack(named: name))
        let outcome = try Self.suite().run(attack, rollouts: 24, calibrated: ForeignEnginePolicy())
        #expect(outcome.effective >= 12, "\(outcome.exact), \(outcome.unchanged) unchanged")
        #expect(outcome.exact.accepted == 0 && outcome.exact.inconclusive == 0, "\(outcome.exact)")
    }

    /// What the checks of the foreign policy are for, each by itself.
    @Test(arguments: [
        ("other-seed", "margin"), ("best-of-4", "margin"), ("wrong-temperature", "margin"),
        ("removed-top-k", "margin"), ("copied-sample", "copied-text"), ("constant-polynomial", "toploc"),
        ("int4-weights", "toploc"),
    ])
    func foreignChecksSee(attack name: String, check: String) throws {
        let attack = try #require(AttackCatalogue.attack(named: name))
        let outcome = try Self.suite().run(attack, rollouts: 24, calibrated: ForeignEnginePolicy())
        #expect(outcome.alone[check, default: 0] > 0, "\(outcome.alone), \(outcome.toploc)")
        #expect(outcome.toploc.rejection.count > 0)
    }

    @Test func honestForeignEnginesAreMeasured() throws {
        let suite = try Self.suite()
        let outcome = try suite.foreign(rollouts: 64)
        #expect(outcome.measured.count == outcome.toploc.total && outcome.toploc.total >= 64)
        #expect(outcome.toploc.acceptance.rate > 0.9, "\(outcome.toploc)")
        #expect(outcome.exact.accepted == 0, "noise is not the canonical arithmetic")
        // No rollout that they were calibrated with exceeds calibrated thresholds.
        let margins = outcome.measured.map(\.marginMean).max()
        #expect(outcome.calibrated.marginMean == margins)
        #expect(outcome.margins.tokens > 1000 && outcome.margins.mean < 0.05)
    }

    /// An edge of a filter that lies a little elsewhere is no reason to reject.
    @Test func honestForeignEnginesPassWhereFiltersDecide() throws {
        let suite = try Self.suite(foreignTopK: 8)
        let outcome = try suite.foreign(rollouts: 64)
        #expect(outcome.toploc.acceptance.rate > 0.9, "\(outcome.toploc)")
        #expect(outcome.margins.differing > 0)
    }

    /// Thresholds of an earlier report are judged by, too.
    @Test func thresholdsThatWereCalibratedBefore() throws {
        let suite = try Self.suite()
        let calibrated = try suite.foreign(rollouts: 32).calibrated
        let again = try suite.foreign(rollouts: 32, thresholds: calibrated)
        #expect(again.calibratedBefore.accepted == again.toploc.total)
        var tight = calibrated
        tight.toploc.mantissaErrorMean /= 2
        let refused = try suite.foreign(rollouts: 32, thresholds: tight).calibratedBefore
        #expect(refused.rejected["toploc", default: 0] > 0)
    }

    @Test func dishonestVerifiers() throws {
        let outcomes = try Self.suite().verifiers(groups: 8)
        func outcome(_ name: String) throws -> VerifierOutcome { try #require(outcomes.first { $0.name == name }) }
        let lazy = try outcome("lazy-verifier")
        #expect(lazy.onHonest.accepted == 0 && lazy.onForged.accepted == 0)
        let lying = try outcome("lying-verifier")
        #expect(lying.onHonest.rejection.count == 8 && lying.onForged.accepted == 0)
        // Its own report cannot give a colluder away; a second opinion does.
        let colluding = try outcome("colluding-verifier")
        #expect(colluding.onHonest.accepted == 8 && colluding.onForged.accepted == colluding.onForged.total)
        #expect(colluding.onForged.total > 0)
        let second = try outcome("honest-verifier")
        #expect(second.onHonest.accepted == 8 && second.onForged.rejection.count == second.onForged.total)
    }

    @Test func verificationHasACost() throws {
        let cost = try Self.suite().cost(batch: 8, repeats: 1)
        #expect(cost.tokens == 8 * 40 && cost.generation > 0 && cost.verification > 0)
    }
}
