// Stands in until the rooms ChatTemplates and Tokenizers have landed; goes away with the merge.
import JSON
import Tokenizers

public struct Chat { var messages: [JSONValue]; var tools: [JSONValue]?; var addGenerationPrompt: Bool; var extra: JSONObject }
public struct MarkedText { let text: String; let generated: [Range<Int>] }
public struct ChatTemplate: Sendable {
    static func load(directory: String) throws -> ChatTemplate? { nil }
    func render(_ chat: Chat) throws -> String { "" }
    func renderMarked(_ chat: Chat) throws -> MarkedText { MarkedText(text: "", generated: []) }
}
extension Tokenizer {
    func encodeWithSpecialTokens(bytes: [UInt8]) -> [Int32] { encode(bytes: bytes) }
    func decode(_ tokens: [Int32], skippingSpecial: Bool) -> [UInt8] { decode(tokens) }
    func text(_ tokens: [Int32], skippingSpecial: Bool) -> String { text(tokens) }
}
