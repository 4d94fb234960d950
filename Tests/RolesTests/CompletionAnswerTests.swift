import Foundation
import Fuzzing
import Identity
import JSON
import Sampling
import Testing

@testable import Roles

/// Answers of a completions server, which is a stranger: every rule, and mutations.
@Suite struct CompletionAnswerTests {
    private let shape = CompletionShape(
        SamplingParameters(samples: 2, maximumTokens: 3, stopTokens: [9]), vocabularySize: 20, hiddenSize: 4)

    private func choice(
        _ index: Int, tokens: [Int] = [1, 2, 9], numbers: [Double]? = nil, rows: [UInt16]? = nil,
        edit: (inout [String: JSONValue]) -> Void = { _ in }
    ) -> JSONValue {
        let rows = rows ?? (0..<tokens.count * 4).map { UInt16(0x3F80 + $0) }
        let data = rows.withUnsafeBytes { Data($0) }.base64EncodedString()
        var members: [String: JSONValue] = [
            "index": .integer(index), "token_ids": .array(tokens.map { .integer($0) }),
            "logprobs": [
                "token_logprobs": .array((numbers ?? tokens.map { _ in -0.5 }).map { .number($0) })
            ],
            "hidden_states": [
                "dtype": "bfloat16", "shape": [.integer(tokens.count), 4], "data": .string(data),
            ],
        ]
        edit(&members)
        return .object(JSONObject(members))
    }

    private func bytes(_ choices: JSONValue...) -> [UInt8] {
        [UInt8](JSONValue.object(["id": "x", "choices": .array(choices)]).line.utf8)
    }

    private func fault(_ bytes: [UInt8]) -> String {
        do throws(CompletionFault) {
            _ = try CompletionAnswer.samples(bytes, shape)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func goodAnswersAreRead() throws {
        let samples = try CompletionAnswer.samples(bytes(choice(1, tokens: [3, 4, 5]), choice(0, tokens: [9])), shape)
        #expect(samples.map(\.tokens) == [[9], [3, 4, 5]])
        #expect(samples.map(\.endsByStop) == [true, false])
        #expect(samples[0].rows == [0x3F80, 0x3F81, 0x3F82, 0x3F83] && samples[0].logProbabilities == [-0.5])
    }

    @Test func everyRuleRejects() throws {
        let good = choice(0)
        func second(_ choice: JSONValue) -> String { fault(bytes(good, choice)) }
        #expect(second(choice(1)) == "")
        #expect(fault([]).contains("not JSON"))
        #expect(fault([UInt8]("[]".utf8)).contains("no choices"))
        #expect(fault(bytes(good)).contains("1 choices instead of 2"))
        #expect(second(choice(0)).contains("index"))
        #expect(second(choice(7)).contains("index"))
        #expect(second(choice(1, tokens: [])).contains("0 tokens"))
        #expect(second(choice(1, tokens: [1, 2, 3, 4])).contains("4 tokens"))
        #expect(second(choice(1, tokens: [1, 2])).contains("neither a stop token"))
        #expect(second(choice(1, tokens: [1, 9, 3])).contains("goes on"))
        #expect(second(choice(1, tokens: [1, 20, 3])).contains("vocabulary"))
        #expect(second(choice(1, tokens: [1, -1, 3])).contains("vocabulary"))
        #expect(second(choice(1, numbers: [-1, -1])).contains("token_logprobs"))
        #expect(second(choice(1, numbers: [-1, 0.5, -1])).contains("finite"))
        #expect(second(choice(1) { $0["logprobs"] = nil }).contains("token_logprobs"))
        #expect(second(choice(1) { $0["token_ids"] = nil }).contains("return_token_ids"))
        #expect(second(choice(1) { $0["hidden_states"] = nil }).contains("return_hidden_states"))
        #expect(second(choice(1, rows: [1, 2, 3])).contains("bytes"))
        #expect(second(choice(1, rows: [UInt16](repeating: 0x7F80, count: 12))).contains("not finite"))
        #expect(
            second(choice(1) { $0["hidden_states"] = ["dtype": "bfloat16", "shape": [4, 3], "data": ""] })
                .contains("shape"))
        #expect(second(choice(1) { $0["hidden_states"] = ["dtype": "float16"] }).contains("dtype"))
    }

    @Test func whatWouldNotFitIsNotAskedFor() throws {
        #expect(try shape.maximumBytes > bytes(choice(0), choice(1)).count)
        let endless = CompletionShape(
            SamplingParameters(samples: 256, maximumTokens: 65_536), vocabularySize: 20, hiddenSize: 1 << 20)
        #expect(throws: CompletionFault.self) { try endless.maximumBytes }
        let overflowing = CompletionShape(
            SamplingParameters(samples: .max, maximumTokens: 2), vocabularySize: 20, hiddenSize: .max)
        #expect(throws: CompletionFault.self) { try overflowing.maximumBytes }
    }

    @Test func mutatedAnswersNeverTrap() async {
        let originals = [bytes(choice(0), choice(1)), bytes(choice(1, tokens: [1, 2, 3]), choice(0))]
        await Fuzz.run(atLeast: 3000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = Mutation.mutate(
                originals, words: ["\"token_ids\"", "1e999", "-9223372036854775809", "null", "[[", "{\"choices\":"],
                using: &generator)
            guard let samples = try? CompletionAnswer.samples(bytes, shape) else { return }
            #expect(samples.count == 2, "APUS_FUZZ_SEED=\(seed)")
            #expect(samples.allSatisfy { $0.rows.count == 4 * $0.tokens.count && $0.tokens.count <= 3 })
        }
    }
}

/// Which group may use the server: one version at a time, the oldest first, nobody forgotten.
@Suite struct ServerTurnsTests {
    @Test func oldestVersionFirstAndOthersWaitForTheServerToBeFree() {
        var turns = ServerTurns(capacity: 2)
        turns.wait(.zero, version: 5)
        #expect(turns.nextMove() == .load(5))
        #expect(turns.nextMove() == nil)
        turns.wait(Self.group(1), version: 6)
        #expect(turns.finishLoading(5, succeeded: true).isEmpty)
        #expect(turns.nextMove() == .start(.zero))
        #expect(turns.nextMove() == nil, "6 waits until 5 is done")
        turns.finish()
        #expect(turns.nextMove() == .load(6))
        #expect(turns.finishLoading(6, succeeded: false) == [Self.group(1)])
        #expect(turns.nextMove() == nil && turns.loaded == nil)
    }

    @Test func everyGroupIsStartedOnceUnderItsVersion() {
        var generator = FuzzGenerator(seed: 1)
        for _ in 0..<200 {
            var turns = ServerTurns(capacity: Int.random(in: 1...4, using: &generator))
            var versions: [Hash256: UInt64] = [:]
            var started: Set<Hash256> = []
            var left: Set<Hash256> = []
            for number in 0..<UInt8(30) {
                let version = UInt64.random(in: 1...3, using: &generator)
                versions[Self.group(number)] = version
                turns.wait(Self.group(number), version: version)
                if Bool.random(using: &generator), turns.leave(Self.group(number / 2)) {
                    left.insert(Self.group(number / 2))
                }
                while let move = turns.nextMove() {
                    switch move {
                    case .load(let version):
                        #expect(turns.running == 0)
                        _ = turns.finishLoading(version, succeeded: true)
                    case .start(let group):
                        #expect(started.insert(group).inserted && turns.loaded == versions[group])
                        #expect(turns.running <= turns.capacity)
                    }
                    if Bool.random(using: &generator) { turns.finish() }
                }
            }
            while true {
                while turns.running > 0 { turns.finish() }
                guard let move = turns.nextMove() else { break }
                switch move {
                case .load(let version): _ = turns.finishLoading(version, succeeded: true)
                case .start(let group): started.insert(group)
                }
            }
            #expect(started.isDisjoint(with: left) && started.count + left.count == 30)
        }
    }

    private static func group(_ number: UInt8) -> Hash256 { SHA256.hash([number, 1]) }
}
