import Foundation
import JSON
import Testing

@testable import ChatTemplates

/// Templates in model directories.
@Suite struct DirectoryTests {
    /// A directory with files, removed afterwards.
    private func withDirectory(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
        for (name, text) in files {
            let url = directory.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory.path)
    }

    private func expectText(_ text: String, of chat: Chat, in directory: String) throws {
        let rendered = try ChatTemplate.load(directory: directory)?.render(chat)
        #expect(rendered == text)
    }

    private let chat = Chat(messages: [user("hi")])
    private let chatWithTools = Chat(messages: [user("hi")], tools: [["name": "f"]])

    @Test func theConfigurationHoldsATemplateAndSpecialTokens() throws {
        let configuration = """
            {"chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ image_token }}", "bos_token": "<s>",
             "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null, "image_token": "<i>",
             "added_tokens_decoder": {}}
            """
        try withDirectory(["tokenizer_config.json": configuration]) { path in
            try expectText("<s>hi</s><i>", of: chat, in: path)
        }
    }

    @Test func theFileComesBeforeTheConfiguration() throws {
        let files = [
            "tokenizer_config.json": "{\"chat_template\": \"old\", \"bos_token\": \"<s>\"}",
            "chat_template.jinja": "{{ bos_token }}new\n",
        ]
        try withDirectory(files) { path in try expectText("<s>new", of: chat, in: path) }
    }

    @Test func namedTemplatesServeChatsWithTools() throws {
        let list = """
            {"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]}
            """
        try withDirectory(["tokenizer_config.json": list]) { path in
            let template = try #require(try ChatTemplate.load(directory: path))
            #expect(try template.render(chat) == "plain")
            #expect(try template.render(chatWithTools) == "tools")
        }
        let files = ["chat_template.jinja": "plain", "additional_chat_templates/tool_use.jinja": "tools"]
        try withDirectory(files) { path in
            try expectText("tools", of: chatWithTools, in: path)
        }
    }

    @Test func legacySpecialTokensAreRead() throws {
        let files = [
            "tokenizer_config.json": "{\"chat_template\": \"{{ bos_token }}\"}",
            "special_tokens_map.json": "{\"bos_token\": \"<b>\"}",
        ]
        try withDirectory(files) { path in try expectText("<b>", of: chat, in: path) }
    }

    @Test func aDirectoryWithoutATemplateHasNone() throws {
        try withDirectory(["tokenizer_config.json": "{}"]) { path in
            let template = try ChatTemplate.load(directory: path)
            #expect(template.map { _ in true } == nil)
        }
        let template = try ChatTemplate.load(directory: "/nowhere")
        #expect(template.map { _ in true } == nil)
    }

    @Test(arguments: [
        "{", "[]", "{\"chat_template\": 3}", "{\"chat_template\": [{\"name\": \"x\"}]}",
        "{\"chat_template\": [{\"name\": \"x\", \"template\": \"y\"}]}", "{\"chat_template\": \"{{\"}",
    ])
    func badFilesAreOneError(configuration: String) throws {
        try withDirectory(["tokenizer_config.json": configuration]) { path in
            #expect(throws: TemplateError.self) { try ChatTemplate.load(directory: path) }
        }
    }

    @Test func chatsAreChecked() throws {
        let template = try ChatTemplate(source: "{{ messages }}")
        #expect(throws: TemplateError.self) { try template.render(Chat(messages: [])) }
        #expect(throws: TemplateError.self) { try template.render(Chat(messages: ["text"])) }
        #expect(throws: TemplateError.self) { try template.render(Chat(messages: [user("a")], tools: [1])) }
        let extra = JSONObject([JSONMember("messages", 1)])
        #expect(throws: TemplateError.self) { try template.render(Chat(messages: [user("a")], extra: extra)) }
        let nested = (0..<200).reduce(JSONValue.null) { value, _ in [value] }
        #expect(throws: TemplateError.self) {
            try template.render(Chat(messages: [["role": "user", "content": nested]]))
        }
    }

    @Test func reasoningHasTheNamesThatTemplatesRead() throws {
        let message: JSONValue = ["role": "assistant", "reasoning": "why", "content": nil]
        let rendered = try ChatTemplate(source: "{{ messages[0] }}").render(Chat(messages: [message]))
        #expect(rendered == "{'thinking': 'why', 'role': 'assistant', 'reasoning': 'why', 'reasoning_content': 'why'}")
    }

    @Test func timeIsAnArgument() throws {
        let template = try ChatTemplate(source: "{{ strftime_now('%A %d %B %Y, day %j, %I:%M %p') }}")
        let moment = try #require(TemplateTime(year: 2024, month: 2, day: 29, hour: 0, minute: 7))
        #expect(
            try template.render(Chat(messages: [user("a")], time: moment))
                == "Thursday 29 February 2024, day 060, 12:07 AM")
        #expect(throws: TemplateError.self) { try template.render(Chat(messages: [user("a")])) }
        #expect(TemplateTime(year: 2023, month: 2, day: 29) == nil)
        #expect(TemplateTime.now() != nil)
    }

    @Test func markedPartsAreRangesOfBytes() throws {
        let template = try ChatTemplate(source: try Fixtures.template("marked"))
        let chat = Chat(messages: [user("é"), assistant("🦜"), user("b"), assistant("")], addGenerationPrompt: false)
        let marked = try template.renderMarked(chat)
        #expect(try template.render(chat) == marked.text)
        let bytes = Array(marked.text.utf8)
        #expect(marked.generated.map { String(decoding: bytes[$0], as: UTF8.self) } == ["🦜<|im_end|>", "<|im_end|>"])
        let hidden = try ChatTemplate(source: "{% set x %}{% generation %}a{% endgeneration %}{% endset %}{{ x }}")
        #expect(throws: TemplateError.self) { try hidden.renderMarked(chat) }
        #expect(try hidden.render(chat) == "a")
    }
}
