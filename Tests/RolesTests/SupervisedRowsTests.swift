import EnvironmentKit
import Foundation
import JSON
import RunConfiguration
import Testing
import Tokenizers
import Training

@testable import Roles

@Suite("Examples of supervised training")
struct SupervisedRowsTests {
    private func rows() throws -> (rows: SupervisedRows, tokenizer: any Tokenizer) {
        var section = ModelSection()
        section.path = Fixture.model
        let model = try StartingModel(section)
        return (
            SupervisedRows(prompts: model.prompts, stopTokens: model.generation.stopTokens, data: DataSection()),
            model.prompts.tokenizer
        )
    }

    @Test("A prompt and a completion: only the completion is learned, and it ends with the stop token")
    func text() throws {
        let (rows, tokenizer) = try rows()
        let examples = try rows.demonstrations(["prompt": "The answer", "completion": " is 42."])
        #expect(examples.count == 1)
        #expect(tokenizer.text(examples[0].prompt) == "The answer")
        #expect(tokenizer.text(examples[0].completion) == " is 42.<|im_end|>")
        #expect(try rows.demonstrations(["prompt": "a", "answer": "b"]).count == 1)
    }

    @Test("Messages: every turn of the assistant is one example, up to its stop token")
    func messages() throws {
        let (rows, tokenizer) = try rows()
        let examples = try rows.demonstrations([
            "messages": [
                ["role": "user", "content": "a"], ["role": "assistant", "content": "b"],
                ["role": "user", "content": "c"], ["role": "assistant", "content": "d"],
            ]
        ])
        #expect(examples.map { tokenizer.text($0.completion) } == ["b<|im_end|>", "d<|im_end|>"])
        #expect(
            tokenizer.text(examples[1].prompt)
                == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n"
                + "<|im_start|>assistant\n")
    }

    @Test("Messages as prompt: only what follows is learned")
    func mixed() throws {
        let (rows, tokenizer) = try rows()
        let prompt: JSONValue = [
            ["role": "user", "content": "a"], ["role": "assistant", "content": "b"], ["role": "user", "content": "c"],
        ]
        let examples = try rows.demonstrations(["prompt": prompt, "completion": "d"])
        #expect(examples.map { tokenizer.text($0.completion) } == ["d<|im_end|>"])
        let same = try rows.demonstrations([
            "prompt": prompt, "completion": [["role": "assistant", "content": "d"]],
        ])
        #expect(same == examples)
    }

    @Test(
        "What is no example is refused",
        arguments: [
            ["prompt": "a"], ["completion": "a"], ["messages": []], ["messages": [["role": "user", "content": "a"]]],
            ["messages": [["role": "assistant"]]], ["prompt": 3, "completion": "a"], ["prompt": "", "completion": "a"],
        ] as [JSONValue])
    func refused(_ row: JSONValue) throws {
        let (rows, _) = try rows()
        #expect(throws: (any Error).self) { try rows.demonstrations(row) }
    }

    @Test("A file is read line by line, and a bad line is named")
    func file() throws {
        let path = NSTemporaryDirectory() + "apus-sft-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func read(_ text: String) throws -> [Demonstration] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            var section = ModelSection()
            section.path = Fixture.model
            let model = try StartingModel(section)
            var data = DataSection()
            data.path = path
            data.maxTokens = 64
            return try SupervisedRows(
                prompts: model.prompts, stopTokens: model.generation.stopTokens, data: data
            ).read()
        }
        let good = "{\"prompt\": \"a\", \"completion\": \"b\"}"
        #expect(try read("\(good)\n\n\(good)\r\n").count == 2)
        for bad in [
            "nonsense", "{\"prompt\": \"a\"", "[1]", good.replacing("b", with: String(repeating: "xy", count: 99)),
        ] {
            let error = #expect(throws: EnvironmentError.self) { try read("\(good)\n\(bad)\n") }
            #expect(error?.place.hasSuffix(":2") == true)
        }
        // Mutated bytes never crash.
        var random = SplitMix64(seed: 7)
        let bytes = Array("\(good)\n{\"messages\": [{\"role\": \"assistant\", \"content\": \"b\"}]}".utf8)
        for _ in 0..<200 {
            var mutated = bytes
            for _ in 0...random.integer(in: 0...3) {
                mutated[random.integer(in: 0...mutated.count - 1)] = UInt8(random.integer(in: 0...255))
            }
            _ = try? read(String(decoding: mutated, as: UTF8.self))
        }
    }
}
