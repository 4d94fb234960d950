import Foundation
import Testing

@testable import Messages

/// The table that guards decoding and the schema must not drift apart.
@Suite struct SchemaAgreementTests {
    @Test func everyFieldOfTheSchemaHasAShape() throws {
        let schema = try Self.schema()
        #expect(schema.count > 30)
        var visited: Set<String> = []
        try compare(.clientMessage, with: "ClientMessage", schema, &visited)
        try compare(.serverMessage, with: "ServerMessage", schema, &visited)
        try compare(.groupPayload, with: "GroupPayload", schema, &visited)
        #expect(visited == Set(schema.keys))
    }

    private func compare(
        _ shape: Shape, with message: String, _ schema: [String: [UInt32: Field]], _ visited: inout Set<String>
    ) throws {
        visited.insert(message)
        let fields = try #require(schema[message], "no message \(message)")
        #expect(Set(shape.fields.keys) == Set(fields.keys), "fields of \(message)")
        for (number, field) in fields {
            guard let rule = shape.fields[number] else { continue }
            #expect(rule.name == field.name, "name of \(message).\(field.name)")
            #expect(Self.fits(rule, field), "type of \(message).\(field.name)")
            if case .message(let inner) = rule.rule { try compare(inner, with: field.type, schema, &visited) }
        }
    }

    private static func fits(_ rule: Shape.Field, _ field: Field) -> Bool {
        var isRepeated = false
        if case .repeated = rule.count { isRepeated = true }
        return switch rule.rule {
        case .integer, .size:
            !field.isRepeated && ["uint32", "uint64", "RoleKind", "FinishReason"].contains(field.type)
        case .signed: !field.isRepeated && field.type == "int64"
        case .boolean: !field.isRepeated && field.type == "bool"
        case .float: !field.isRepeated && field.type == "float"
        case .double, .anyDouble: !field.isRepeated && field.type == "double"
        case .bytes, .blob: field.isRepeated == isRepeated && field.type == "bytes"
        case .text: field.isRepeated == isRepeated && field.type == "string"
        case .integers: field.isRepeated && ["uint32", "uint64"].contains(field.type)
        case .floats: field.isRepeated && field.type == "float"
        case .message: field.isRepeated == isRepeated && field.type.first?.isUppercase == true
        }
    }

    private struct Field {
        let name: String
        let type: String
        let isRepeated: Bool
    }

    /// Reads Protos/apus.proto, as far as its simple layout needs.
    private static func schema() throws -> [String: [UInt32: Field]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Protos/apus.proto"), encoding: .utf8)
        var messages: [String: [UInt32: Field]] = [:]
        var current: String?
        let cleaned = text.split(separator: "\n").map {
            $0.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false)[0]
        }
        for statement in cleaned.joined(separator: " ").split(whereSeparator: { ";{}".contains($0) }) {
            let words = statement.split(separator: " ")
            if words.first == "message", words.count == 2 {
                current = String(words[1])
                messages[String(words[1])] = [:]
            } else if words.first == "enum" {
                current = nil
            } else if let message = current, words.count >= 4, words[words.count - 2] == "=",
                let number = UInt32(words[words.count - 1])
            {
                let isRepeated = words[0] == "repeated"
                messages[message]?[number] = Field(
                    name: String(words[words.count - 3]), type: String(words[words.count - 4]), isRepeated: isRepeated)
            }
        }
        return messages
    }
}
