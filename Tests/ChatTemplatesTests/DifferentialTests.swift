import Foundation
import JSON
import Testing

@testable import ChatTemplates

/// The hook of `scripts/fuzz-chat-templates.py`: renders the cases of a file and writes the results to another.
@Suite struct DifferentialTests {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["APUS_TEMPLATE_CASES"] != nil))
    func cases() throws {
        let environment = ProcessInfo.processInfo.environment
        let input = try #require(environment["APUS_TEMPLATE_CASES"])
        let output = try #require(environment["APUS_TEMPLATE_RESULTS"])
        var results = ""
        for line in Array(try Data(contentsOf: URL(fileURLWithPath: input))).split(separator: UInt8(ascii: "\n")) {
            results += Self.result(try JSONValue.parse(Array(line))).line + "\n"
        }
        try Data(results.utf8).write(to: URL(fileURLWithPath: output))
    }

    private static func result(_ item: JSONValue) -> JSONValue {
        let chat = Chat(
            messages: item["chat"]?["messages"]?.array ?? [], tools: item["chat"]?["tools"]?.array,
            documents: item["chat"]?["documents"]?.array,
            addGenerationPrompt: item["chat"]?["add_generation_prompt"]?.bool ?? false,
            extra: item["chat"]?["extra"]?.object ?? JSONObject(), time: Fixtures.time)
        do throws(TemplateError) {
            let template = try ChatTemplate(source: item["template"]?.string ?? "")
            return ["text": .string(try template.render(chat))]
        } catch {
            return ["error": .string(error.description), "kind": .string("\(error.kind)")]
        }
    }
}
