import EnvironmentKit
import JSON
import RunConfiguration
import Testing
import Tokenizers
import Transformer

@testable import Roles

@Suite("Prompts of a real directory")
struct PromptTests {
    @Test("Text and chats become the ids that transformers gives them")
    func reference() throws {
        let encoder = try Fixture.encoder()
        for (prompt, ids) in try Fixture.prompts() {
            if let messages = prompt["messages"]?.array {
                #expect(try encoder.tokens(of: Conversation(messages: messages)) == ids, "\(prompt.line)")
            } else {
                #expect(encoder.tokens(of: prompt["text"]?.string ?? "") == ids, "\(prompt.line)")
            }
        }
    }

    @Test("A failure names the task and its row")
    func failures() throws {
        let encoder = try Fixture.encoder()
        let task = try Fixture.dataset().task(seed: 1, index: 3, split: .train)
        let long = #expect(throws: PromptFailure.self) { try encoder.tokens(of: task, limit: 3) }
        #expect(long?.kind == .tooLong)
        #expect(long?.description.contains("chat.jsonl:") == true && long?.description.contains(task.id) == true)
        var empty = task
        (empty.prompt, empty.conversation) = ("", nil)
        #expect(throws: PromptFailure.self) { try encoder.tokens(of: empty, limit: 100) }
    }

    @Test("An id beyond the model's vocabulary is an error that says so")
    func foreignIds() throws {
        let bytes = try #require(ByteLevelTokenizer(vocabularySize: 256))
        let configuration = try #require(ModelShape(rawValue: "nano")).configuration
        let encoder = PromptEncoder(tokenizer: bytes, configuration: configuration, place: "test")
        let task = EnvironmentTask(id: "train/0/0", prompt: "é")
        let failure = #expect(throws: PromptFailure.self) { try encoder.tokens(of: task, limit: 100) }
        #expect(failure?.description.contains("id 195") == true)
        let chat = EnvironmentTask(
            id: "train/0/1", prompt: "", conversation: Conversation(messages: [["role": "user", "content": "x"]]))
        let refusal = #expect(throws: PromptFailure.self) { try encoder.tokens(of: chat, limit: 100) }
        #expect(refusal?.description.contains("no chat template") == true)
    }

    @Test("Long prompts stop a run at its start, or give their slots to others")
    func longPrompts() throws {
        let encoder = try Fixture.encoder()
        let environment = try Fixture.dataset(["messages": "plain", "template": "{prompt}{prompt}"])
        let lengths = try (0..<36).map { index in
            let task = try environment.task(seed: 0, index: UInt64(index), split: .train)
            return try encoder.tokens(of: task, limit: 10_000).count
        }
        let limit = try #require(lengths.max()) - 1
        let refuse = TaskBook.PromptRule(limit: limit, skipsLong: false)
        let failure = #expect(throws: RoleFailure.self) {
            try PromptSurvey(environment: environment, prompts: encoder, rule: refuse).check()
        }
        #expect(failure?.kind == .badInput && failure?.description.contains("chat.jsonl:") == true)

        let skip = TaskBook.PromptRule(limit: limit, skipsLong: true)
        let survey = try PromptSurvey(environment: environment, prompts: encoder, rule: skip).check()
        #expect(survey.skipped > 0 && survey.skipped < survey.of)
        let book = TaskBook(environment: environment, prompts: encoder, rule: skip, secret: [1])
        let again = TaskBook(environment: environment, prompts: encoder, rule: skip, secret: [1])
        for slot in 0..<200 as Range<UInt64> {
            let tokens = try book.promptTokens(slot: slot)
            #expect(tokens.count <= limit)
            #expect(try again.promptTokens(slot: slot) == tokens)
        }
        #expect(throws: RoleFailure.self) {
            try PromptSurvey(environment: environment, prompts: encoder, rule: .init(limit: 1, skipsLong: true)).check()
        }
    }

    @Test("A reward is of the text without stop token and special tokens")
    func reward() async throws {
        let encoder = try Fixture.encoder()
        let book = TaskBook(
            environment: try Fixture.dataset(), prompts: encoder, rule: .init(limit: 200, skipsLong: false), secret: [1]
        )
        let answer = try #require(try book.entry(slot: 0).task.answer)
        let stop = try #require(encoder.tokenizer.token(named: "<|im_end|>"))
        let special = try #require(encoder.tokenizer.token(named: "<|im_start|>"))
        let text = encoder.tokenizer.encode(answer)
        #expect(try await book.reward(slot: 0, tokens: text + [stop], stopTokens: [stop]) == 1)
        #expect(try await book.reward(slot: 0, tokens: [special] + text + [stop], stopTokens: [stop]) == 1)
        #expect(try await book.reward(slot: 0, tokens: text, stopTokens: [stop]) == 0)
    }

    @Test("Groups whose messages would not fit are refused with numbers")
    func messageLimits() throws {
        var file = RunFile()
        file.model.path = Fixture.model
        let model = try StartingModel(file.model)
        #expect(model.generation.stopTokens.count == 2)
        file.sampling.groupSize = 8
        file.sampling.maxTokens = 64
        #expect(throws: Never.self) { try MessageCheck(file, model).check() }
        file.sampling.groupSize = 256
        file.sampling.maxTokens = 65_536
        let failure = #expect(throws: RoleFailure.self) { try MessageCheck(file, model).check() }
        #expect(failure?.description.contains("Lower sampling.group_size to ") == true)
        #expect(throws: RoleFailure.self) { try TaskBook.PromptRule(file, model) }
    }
}
