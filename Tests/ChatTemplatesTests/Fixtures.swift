import Foundation
import JSON
import Testing

@testable import ChatTemplates

/// The golden files that `scripts/make-golden-chat-templates.py` wrote with transformers.
enum Fixtures {
    static func bytes(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        return Array(try Data(contentsOf: url.appendingPathComponent(name)))
    }

    static func text(_ name: String) throws -> String {
        String(decoding: try bytes(name), as: UTF8.self)
    }

    static func document(_ name: String) throws -> JSONValue { try JSONValue.parse(try bytes(name)) }

    static func lines(_ name: String) throws -> [JSONValue] {
        try bytes(name).split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0)) }
    }

    static func template(_ name: String) throws -> String { try text("templates/\(name).jinja") }

    static let names = [
        "chatml-tools", "command-r", "gemma", "gemma-parts", "hermes-tools", "llama2", "llama3-tools", "marked",
        "mistral-tools", "phi3", "r1-distill", "thinking", "zephyr",
    ]

    /// The moment that `strftime_now` tells in the golden files.
    static let time = TemplateTime(year: 2024, month: 7, day: 26, hour: 13, minute: 5, second: 9)
}

func user(_ text: String) -> JSONValue { ["role": "user", "content": .string(text)] }

func assistant(_ text: String) -> JSONValue { ["role": "assistant", "content": .string(text)] }

/// Renders a template over a chat of one message.
func render(
    _ source: String, _ extra: JSONObject = JSONObject(), limits: TemplateLimits = .standard
) throws -> String {
    let chat = Chat(messages: [user("hi")], extra: extra, time: Fixtures.time)
    return try ChatTemplate(source: source).render(chat, limits: limits)
}

/// The kind of error that a template ends with; nil where it ends well.
func kind(_ source: String, limits: TemplateLimits = .standard) -> TemplateError.Kind? {
    do {
        _ = try render(source, limits: limits)
        return nil
    } catch {
        return (error as? TemplateError)?.kind
    }
}
