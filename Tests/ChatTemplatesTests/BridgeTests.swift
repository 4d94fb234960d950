import JSON
import Testing

@testable import ChatTemplates

/// Turns appended as tokens.
@Suite struct BridgeTests {
    private let tokens: JSONObject = JSONObject([JSONMember("bos_token", "<s>"), JSONMember("eos_token", "</s>")])

    private func continued(
        _ name: String, _ messages: [JSONValue], reply: String, message: JSONValue? = nil, then: [JSONValue],
        extra: [JSONMember] = []
    ) throws -> (before: String, bridge: ChatBridge) {
        let template = try ChatTemplate(source: try Fixtures.template(name), specialTokens: tokens)
        let chat = Chat(messages: messages, extra: JSONObject(extra), time: Fixtures.time)
        let bridge = try ChatBridge(template: template, chat: chat, reply: reply, message: message, following: then)
        return (try template.render(chat), bridge)
    }

    @Test func theBridgeIsWhatStandsBehindTheStopToken() throws {
        let (before, bridge) = try continued("chatml-tools", [user("2+2?")], reply: "4", then: [user("3+3?")])
        #expect(
            try bridge.text(endingWith: "<|im_end|>") == "\n<|im_start|>user\n3+3?<|im_end|>\n<|im_start|>assistant\n")
        #expect(try bridge.text(endingWith: nil).hasPrefix("<|im_end|>\n<|im_start|>user"))
        let longer = Chat(messages: [user("2+2?"), assistant("4"), user("3+3?")])
        let whole = try ChatTemplate(source: try Fixtures.template("chatml-tools")).render(longer)
        #expect(try before + "4<|im_end|>" + bridge.text(endingWith: "<|im_end|>") == whole)
    }

    @Test func whiteSpaceOfTheModelIsTheModels() throws {
        // Llama 2 writes a space on each side of the reply; the model's tokens are what they are.
        for reply in [" fine", "fine", " fine \n"] {
            let (_, bridge) = try continued("llama2", [user("How?")], reply: reply, then: [user("Good")])
            #expect(try bridge.text(endingWith: "</s>") == "<s>[INST] Good [/INST]")
        }
        let (_, bridge) = try continued("gemma", [user("a")], reply: "b\n\n", then: [user("c")])
        #expect(
            try bridge.text(endingWith: "<end_of_turn>")
                == "\n<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n")
        let (_, empty) = try continued("phi3", [user("a")], reply: "", then: [user("c")])
        #expect(try empty.text(endingWith: "<|end|>") == "\n<|user|>\nc<|end|>\n<|assistant|>\n")
    }

    @Test func aTemplateThatDropsReasoningCannotBeContinued() throws {
        let reply = "<think>\nlong\n</think>\n\n4"
        let error = #expect(throws: TemplateError.self) {
            try continued("thinking", [user("2+2?")], reply: reply, then: [user("3+3?")])
        }
        #expect(error?.kind == .rewritesHistory)
        #expect(error?.message.contains("at character 1 \"<think>") == true)
        #expect(error?.message.contains("becomes \"4<|im_end|>") == true)
        // Behind a tool call the reasoning stays.
        let (_, bridge) = try continued(
            "thinking", [user("2+2?")], reply: reply, then: [["role": "tool", "content": "5"]])
        #expect(
            try bridge.text(endingWith: "<|im_end|>")
                == "\n<|im_start|>user\n<tool_response>\n5\n</tool_response><|im_end|>\n<|im_start|>assistant\n")
    }

    @Test func aPromptThatIsRewrittenIsNamed() throws {
        let error = #expect(throws: TemplateError.self) {
            try continued(
                "thinking", [user("2+2?")], reply: "4", then: [user("3+3?")],
                extra: [JSONMember("enable_thinking", false)])
        }
        #expect(error?.kind == .rewritesHistory)
        #expect(error?.message.contains("what the model was given") == true)
        // Mistral moves the tools to the last user turn.
        let template = try ChatTemplate(source: try Fixtures.template("mistral-tools"), specialTokens: tokens)
        let tool: JSONValue = ["type": "function", "function": ["name": "f", "description": "d"]]
        let chat = Chat(messages: [user("a")], tools: [tool])
        #expect(throws: TemplateError.self) {
            try ChatBridge(template: template, chat: chat, reply: "b", following: [user("c")])
        }
    }

    @Test func anotherStopTokenIsAnError() throws {
        let (_, bridge) = try continued("chatml-tools", [user("a")], reply: "b", then: [user("c")])
        let error = #expect(throws: TemplateError.self) { try bridge.text(endingWith: "<|endoftext|>") }
        #expect(error?.kind == .rewritesHistory)
    }

    @Test func aReplyMayBeAMessageOfItsOwn() throws {
        let call: JSONValue = [
            "role": "assistant", "content": "",
            "tool_calls": [["type": "function", "function": ["name": "f", "arguments": ["x": 1]]]],
        ]
        let (_, bridge) = try continued(
            "thinking", [user("a")],
            reply: "<think>\nyes\n</think>\n\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>",
            message: [
                "role": "assistant", "content": "<think>\nyes\n</think>\n\n", "tool_calls": call["tool_calls"] ?? .null,
            ],
            then: [["role": "tool", "content": "2"]])
        #expect(try bridge.text(endingWith: "<|im_end|>").hasPrefix("\n<|im_start|>user\n<tool_response>"))
    }
}
