import EnvironmentKit
import Foundation
import Tensors
import Testing
import Tokenizers
import Transformer

@testable import Training

@Suite struct WarmUpTests {
    let tokenizer = ByteLevelTokenizer.ascii

    func rows(_ text: String, batch: Int = 2) throws -> DemonstrationRows {
        try DemonstrationRows(
            jsonLines: Data(text.utf8), name: "rows.jsonl", tokenizer: tokenizer, seed: 1, batch: batch)
    }

    @Test func rowsBecomeTokensWithOneEndOfSequence() throws {
        let source = try rows(
            """
            {"prompt": "21>", "completion": "12"}

            {"prompt": "43>", "answer": "34\\n", "info": {}}
            """)
        let found = try source.demonstrations(at: 1).sorted { $0.prompt[0] < $1.prompt[0] }
        #expect(
            found == [
                Demonstration(prompt: [50, 49, 62], completion: [49, 50, 10]),
                Demonstration(prompt: [52, 51, 62], completion: [51, 52, 10]),
            ])
    }

    @Test func everyEpochVisitsEveryRowOnceInItsOwnOrder() throws {
        let source = try rows(
            (0..<30).map { "{\"prompt\": \"\($0)>\", \"completion\": \"a\"}" }.joined(separator: "\n"), batch: 7)
        let epochs = try (1...30).flatMap { try source.demonstrations(at: $0) }.map(\.prompt)
        let orders = (0..<7).map { Array(epochs[$0 * 30..<$0 * 30 + 30]) }
        for order in orders { #expect(Set(order).count == 30) }
        #expect(Set(orders).count == 7)
        #expect(try source.demonstrations(at: 5) == source.demonstrations(at: 5))
    }

    @Test(arguments: [
        "", "\n\n", "nonsense", "{\"prompt\": \"a\"}", "{\"prompt\": 3, \"completion\": \"x\"}",
        "{\"prompt\": \"\", \"completion\": \"x\"}", "[1,2]",
        "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"",
    ])
    func rowsThatAreNoneAreRefusedByLine(_ text: String) {
        #expect(throws: DemonstrationError.self) { try rows(text) }
    }

    @Test func aBatchOfNoneAndALineBeyondTheLimitAreRefused() {
        #expect(throws: DemonstrationError.self) { try rows("{\"prompt\": \"a\", \"completion\": \"b\"}", batch: 0) }
        let long = String(repeating: "a", count: DemonstrationRows.maximumLineBytes)
        #expect(throws: DemonstrationError.self) { try rows("{\"prompt\": \"\(long)\", \"completion\": \"b\"}") }
    }

    @Test func mutatedRowsNeverCrash() {
        let good = Array(
            "{\"prompt\": \"21>\", \"completion\": \"12\"}\n{\"prompt\": \"43>\", \"answer\": \"34\"}".utf8)
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0...random.integer(in: 0...3) {
                let place = random.integer(in: 0...bytes.count - 1)
                if random.chance(0.5) {
                    bytes[place] = UInt8(random.integer(in: 0...255))
                } else {
                    bytes.remove(at: place)
                }
            }
            _ = try? DemonstrationRows(
                jsonLines: Data(bytes), name: "fuzz", tokenizer: tokenizer, seed: 1, batch: 2
            ).demonstrations(at: 3)
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
            [Demonstration(prompt: Array(repeating: 1, count: 64), completion: [2])],
        ] {
            #expect(throws: DemonstrationError.self) { try warmUp.step(wrong) }
        }
        #expect(warmUp.state.step == 0)
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
