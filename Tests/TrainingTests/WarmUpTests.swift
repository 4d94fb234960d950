import EnvironmentKit
import Foundation
import Tensors
import Testing
import Tokenizers
import Transformer

@testable import Training

@Suite struct WarmUpTests {
    let tokenizer = ByteLevelTokenizer.ascii

    @Test func everyEpochVisitsEveryRowOnceInItsOwnOrder() throws {
        let rows = (0..<30).map { Demonstration(prompt: [$0], completion: [97, 10]) }
        let source = try DemonstrationRows(rows: rows, name: "rows.jsonl", seed: 1, batch: 7)
        let epochs = try (1...30).flatMap { try source.demonstrations(at: $0) }.map(\.prompt)
        let orders = (0..<7).map { Array(epochs[$0 * 30..<$0 * 30 + 30]) }
        for order in orders { #expect(Set(order).count == 30) }
        #expect(Set(orders).count == 7)
        #expect(try source.demonstrations(at: 5) == source.demonstrations(at: 5))
    }

    @Test func noRowsAndABatchOfNoneAreRefused() {
        #expect(throws: DemonstrationError.self) {
            try DemonstrationRows(rows: [], name: "rows.jsonl", seed: 1, batch: 2)
        }
        #expect(throws: DemonstrationError.self) {
            try DemonstrationRows(
                rows: [Demonstration(prompt: [1], completion: [2])], name: "rows.jsonl", seed: 1, batch: 0)
        }
    }

    @Test func environmentDemonstrationsDependOnSeedAndStepOnly() throws {
        let source = EnvironmentDemonstrations(environment: Echo(), tokenizer: tokenizer, seed: 3, batch: 8)
        let same = EnvironmentDemonstrations(environment: Echo(), tokenizer: tokenizer, seed: 3, batch: 8)
        let other = EnvironmentDemonstrations(environment: Echo(), tokenizer: tokenizer, seed: 4, batch: 8)
        #expect(try source.demonstrations(at: 9) == same.demonstrations(at: 9))
        #expect(try source.demonstrations(at: 9) != source.demonstrations(at: 10))
        #expect(try source.demonstrations(at: 9) != other.demonstrations(at: 9))
        #expect(try source.demonstrations(at: 1).allSatisfy { $0.completion.last == 10 && $0.prompt.last == 62 })
    }

    @Test func anEnvironmentWithoutDemonstrationsIsNamed() {
        let source = EnvironmentDemonstrations(
            environment: Echo(isSilent: true), tokenizer: tokenizer, seed: 3, batch: 8)
        #expect { try source.demonstrations(at: 1) } throws: { "\($0)".contains("echo") }
    }

    @Test func imitationLowersTheLossAndResumesExactly() throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let configuration = ModelConfiguration(
            vocabularySize: 128, hiddenSize: 16, layers: 1, heads: 2, keyValueHeads: 1, headDimension: 8,
            intermediateSize: 24)
        let source = EnvironmentDemonstrations(environment: Echo(), tokenizer: tokenizer, seed: 3, batch: 16)
        func warmUp() throws -> SupervisedWarmUp {
            try SupervisedWarmUp(
                state: TrainingState(master: ModelInitializer.random(configuration, seed: 2)),
                settings: SupervisedSettings(), kernels: kernels, pool: pool)
        }
        let straight = try warmUp()
        var losses: [Double] = []
        try straight.run(source, steps: 40) { losses.append($0.loss) }
        #expect(losses.count == 40 && losses[39] < losses[0] - 1)
        // The first loss of a random model is about that of guessing among 128 tokens.
        #expect(abs(losses[0] - log(128)) < 0.5)
        let halves = try warmUp()
        try halves.run(source, steps: 20)
        try halves.run(source, steps: 40)
        #expect(halves.weights.weightsHash == straight.weights.weightsHash)
    }

    @Test func demonstrationsThatDoNotFitAreRefused() throws {
        let warmUp = try SupervisedWarmUp(
            state: TrainingState(master: ModelInitializer.random(PolicyTrainerTests.configuration, seed: 2)),
            settings: SupervisedSettings(), kernels: Kernels.preferred(), pool: ComputePool(threads: 1))
        for wrong in [
            [], [Demonstration(prompt: [], completion: [1])], [Demonstration(prompt: [1], completion: [])],
            [Demonstration(prompt: [1], completion: [24])], [Demonstration(prompt: [-1], completion: [2])],
            [Demonstration(prompt: Array(repeating: 1, count: 65), completion: [2])],
        ] {
            #expect(throws: DemonstrationError.self) { try warmUp.step(wrong) }
        }
        #expect(warmUp.state.step == 0)
        // The last token takes no position.
        #expect(try warmUp.step([Demonstration(prompt: Array(repeating: 1, count: 64), completion: [2])]).isApplied)
    }

    /// Answers a number with itself.
    struct Echo: Environment {
        static let id = "echo"
        static let summary = "Repeats."
        var isSilent = false
        let options: EnvironmentOptions = [:]
        let maximumCompletionTokens = 4

        init(options: EnvironmentOptions) {}
        init(isSilent: Bool = false) { self.isSilent = isSilent }

        func task(seed: UInt64, index: UInt64, split: Split) -> EnvironmentTask {
            var random = SplitMix64(stream: seed, index)
            return EnvironmentTask(id: "\(index)", prompt: "\(random.integer(in: 100...999))>")
        }
        func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) -> Double { 0 }
        func demonstration(of task: EnvironmentTask, using random: inout SplitMix64) -> String? {
            isSilent ? nil : String(task.prompt.dropLast())
        }
    }
}
