import Foundation
import Tensors
import Testing
import Transformer

@testable import Training

@Suite struct PolicyTrainerTests {
    static let configuration = ModelConfiguration(
        vocabularySize: 24, hiddenSize: 16, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 4,
        intermediateSize: 24, maxPositions: 64)

    let kernels: Kernels
    let pool = ComputePool(threads: 2)

    init() throws {
        kernels = try Kernels.preferred()
    }

    func trainer(_ state: TrainingState? = nil, objective: any Objective = TwoSidedClip()) throws -> PolicyTrainer {
        let state = state ?? TrainingState(master: ModelInitializer.random(Self.configuration, seed: 3))
        return try PolicyTrainer(
            state: state, settings: PolicySettings(objective: objective), kernels: kernels, pool: pool)
    }

    /// A batch whose behavior log-probabilities are those of the trainer's weights, shifted by `drift`.
    func batch(_ step: Int, for trainer: PolicyTrainer, drift: Float = 0) -> TrainingBatch {
        let graph = TrainingGraph(configuration: Self.configuration, kernels: kernels, pool: pool)
        var word = UInt64(step) &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(word >> 33) % bound
        }
        let groups = (0..<5).map { group in
            let prompt = (0..<3 + next(4)).map { _ in Int32(next(24)) }
            let rollouts = (0..<4).map { index in
                let completion = (0..<1 + next(6)).map { _ in Int32(next(24)) }
                let pass = graph.score(
                    [TrainingSequence(prompt: prompt, completion: completion)], weights: trainer.weights)
                return TrainingRollout(
                    completion: completion, behaviorLogProbabilities: pass.logProbabilities.map { $0 - drift },
                    reward: group == 0 ? 1 : Double(index % 2))
            }
            return TrainingGroup(prompt: prompt, rollouts: rollouts, version: step - 1)
        }
        return TrainingBatch(step: step, groups: groups)
    }

    func bits(_ state: any TrainedState) -> [UInt32] {
        let arrays = state.arrays
        return [arrays.parameters, arrays.firstMoments, arrays.secondMoments].flatMap { $0.buffer.map(\.bitPattern) }
    }

    @Test func onPolicyMetricsAreExact() throws {
        let trainer = try trainer()
        let batch = batch(1, for: trainer)
        let metrics = try trainer.step(batch)
        #expect(metrics.outcome == .applied)
        #expect(metrics.mismatchKL == 0 && metrics.offPolicyKL == 0 && metrics.restrainedShare == 0)
        #expect(metrics.zeroAdvantageShare == 0.2)
        #expect(abs(metrics.reward - 0.6) < 1e-12)
        let all = batch.groups.flatMap(\.rollouts).reduce(0) { $0 + $1.completion.count }
        let silent = batch.groups[0].rollouts.reduce(0) { $0 + $1.completion.count }
        #expect(metrics.completionTokens == all && metrics.trainedTokens == all - silent)
        // r = 1 everywhere: the loss is −Σ A·tokens / all tokens.
        let expected = batch.groups.dropFirst().reduce(0.0) { sum, group in
            group.rollouts.reduce(sum) { $0 - ($1.reward - 0.5) * Double($1.completion.count) }
        }
        #expect(abs(metrics.loss - expected / Double(all)) < 1e-9)
        #expect(abs(metrics.learningRate - 7e-4 / 5) < 1e-18)
        #expect(metrics.named.contains { $0.name == "mismatch_kl/mean" && $0.value == 0 })
    }

    @Test func aLyingReportShowsInMismatchAndChangesNothingElse() throws {
        let honest = try trainer()
        let liar = try trainer()
        let good = batch(1, for: honest)
        var bad = good
        for index in bad.groups[1].rollouts.indices {
            bad.groups[1].rollouts[index].reportedLogProbabilities =
                good.groups[1].rollouts[index].behaviorLogProbabilities.map { $0 - 0.5 }
        }
        let first = try honest.step(good)
        let second = try liar.step(bad)
        #expect(second.mismatchKL > 0.001 && first.mismatchKL == 0)
        #expect(bits(honest.state) == bits(liar.state))
    }

    @Test func aBatchWithEqualRewardsTeachesNothing() throws {
        let trainer = try trainer()
        var batch = batch(1, for: trainer)
        for group in batch.groups.indices {
            for index in batch.groups[group].rollouts.indices { batch.groups[group].rollouts[index].reward = 0.25 }
        }
        let before = bits(trainer.state)
        let metrics = try trainer.step(batch)
        #expect(metrics.outcome == .nothingToLearn && metrics.zeroAdvantageShare == 1)
        #expect(bits(trainer.state) == before && trainer.state.step == 1 && trainer.state.updates == 0)
    }

    @Test func aGradientThatIsNotFiniteIsSkipped() throws {
        struct Exploding: Objective {
            static let name = "exploding"
            func loss(policy: Double, behavior: Double, advantage: Double) -> TokenLoss {
                TokenLoss(loss: 1, slope: advantage > 0 ? .infinity : 0, isRestrained: false)
            }
        }
        let trainer = try trainer(objective: Exploding())
        let before = bits(trainer.state)
        let metrics = try trainer.step(batch(1, for: trainer))
        #expect(metrics.outcome == .skippedNonFinite)
        #expect(bits(trainer.state) == before && trainer.state.step == 1 && trainer.state.updates == 0)
        #expect(try trainer.step(batch(2, for: trainer)).outcome == .skippedNonFinite)
    }

    @Test func malformedBatchesAreRefusedAndChangeNothing() throws {
        let trainer = try trainer()
        let good = batch(1, for: trainer)
        var wrong: [TrainingBatch] = [TrainingBatch(step: 1, groups: []), TrainingBatch(step: 2, groups: good.groups)]
        func spoil(_ change: (inout TrainingGroup) -> Void) {
            var batch = good
            change(&batch.groups[2])
            wrong.append(batch)
        }
        spoil { $0.prompt = [] }
        spoil { $0.prompt[0] = 24 }
        spoil { $0.prompt[0] = -1 }
        spoil { $0.rollouts = [] }
        spoil { $0.version = 1 }
        spoil { $0.rollouts[1].completion = [] }
        spoil { $0.rollouts[1].completion[0] = 99 }
        spoil { $0.rollouts[1].completion += Array(repeating: 1, count: 60) }
        spoil { $0.rollouts[1].reward = .nan }
        spoil { $0.rollouts[1].behaviorLogProbabilities.append(-1) }
        spoil { $0.rollouts[1].behaviorLogProbabilities[0] = .nan }
        spoil { $0.rollouts[1].behaviorLogProbabilities[0] = 3 }
        spoil { $0.rollouts[1].reportedLogProbabilities = [-1, -2, -3, -4, -5, -6, -7, -8] }
        let before = bits(trainer.state)
        for batch in wrong { #expect(throws: TrainingBatchError.self) { try trainer.step(batch) } }
        #expect(bits(trainer.state) == before && trainer.state.step == 0)
    }

    @Test func aRolloutMayFillEveryPosition() throws {
        let trainer = try trainer()
        var batch = batch(1, for: trainer)
        let count = Self.configuration.maxPositions
        func fill(_ fed: Int) {
            // The last token is sampled and never fed: one more than there are positions.
            let (prompt, completion) = (
                Array(repeating: Int32(1), count: fed - 7), Array(repeating: Int32(2), count: 8)
            )
            batch.groups[1].prompt = prompt
            for index in batch.groups[1].rollouts.indices {
                batch.groups[1].rollouts[index].completion = completion
                batch.groups[1].rollouts[index].behaviorLogProbabilities = completion.map { _ in -3 }
            }
        }
        fill(count + 1)
        let faults = batch.faults(vocabularySize: 24, maximumLength: count)
        #expect(faults.keys.sorted() == [1] && faults[1]?.place == "group 1, rollout 0")
        fill(count)
        #expect(batch.faults(vocabularySize: 24, maximumLength: count).isEmpty)
        #expect(try trainer.step(batch).outcome == .applied)
    }

    @Test func tenStepsAreFiveAndACheckpointAndFive() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder)
        let straight = try trainer()
        let first = try trainer()
        let batches = (1...10).map { batch($0, for: straight, drift: Float($0) * 0.01) }
        for batch in batches { _ = try straight.step(batch) }
        for batch in batches.prefix(5) { _ = try first.step(batch) }
        try store.save(first.state)
        let loaded = try #require(try store.loadNewest(configuration: Self.configuration).state)
        #expect(bits(loaded) == bits(first.state))
        let resumed = try trainer(loaded)
        var last: StepMetrics?
        for batch in batches.suffix(5) { last = try resumed.step(batch) }
        #expect(bits(resumed.state) == bits(straight.state))
        #expect(resumed.state.step == 10 && resumed.state.updates == 10 && last?.outcome == .applied)
        #expect(resumed.weights.weightsHash == straight.weights.weightsHash)
    }

    @Test func aPolicyLearnsToPreferWhatIsRewarded() throws {
        // One prompt, one token: reward 1 for token 7.
        let state = TrainingState(master: ModelInitializer.random(Self.configuration, seed: 5))
        var settings = PolicySettings()
        settings.schedule = LearningRateSchedule(peak: 5e-3, warmUpSteps: 0)
        let trainer = try PolicyTrainer(state: state, settings: settings, kernels: kernels, pool: pool)
        let graph = TrainingGraph(configuration: Self.configuration, kernels: kernels, pool: pool)
        func logProbability(of token: Int32) -> Float {
            graph.score([TrainingSequence(prompt: [1, 2], completion: [token])], weights: trainer.weights)
                .logProbabilities[0]
        }
        let before = logProbability(of: 7)
        for step in 1...30 {
            let rollouts = (0..<24).map { token in
                TrainingRollout(
                    completion: [Int32(token)], behaviorLogProbabilities: [logProbability(of: Int32(token))],
                    reward: token == 7 ? 1 : 0)
            }
            let group = TrainingGroup(prompt: [1, 2], rollouts: rollouts, version: step - 1)
            _ = try trainer.step(TrainingBatch(step: step, groups: [group]))
        }
        #expect(logProbability(of: 7) > before + 1)
    }
}
