import JSON
import Testing

@testable import ChatTemplates

/// The same bytes as transformers, or an error where it has one.
@Suite struct GoldenTests {
    @Test(arguments: Fixtures.names)
    func chatsRenderAsTransformersRendersThem(name: String) throws {
        let template = try ChatTemplate(source: try Fixtures.template(name))
        let shared = try Fixtures.document("chats.json")
        let cases = try Fixtures.lines("renderings.jsonl").filter { $0["template"]?.string == name }
        #expect(cases.count >= 19)
        for item in cases {
            let chat = try Self.chat(item, shared)
            guard let text = item["text"]?.string else {
                #expect(throws: TemplateError.self, "\(item.line)") { try template.render(chat) }
                continue
            }
            #expect(try Array(template.render(chat).utf8) == Array(text.utf8), "\(item["chat"]?.string ?? "")")
            guard let marks = item["marks"]?.array else { continue }
            let marked = try template.renderMarked(chat)
            let scalars = Array(text.unicodeScalars)
            let expected = marks.compactMap { mark -> [UInt8]? in
                guard let range = mark.array, let low = range[0].integer, let high = range[1].integer else {
                    return nil
                }
                return Array(Text(Array(scalars[low..<high])).string.utf8)
            }
            #expect(marked.generated.map { Array(Array(marked.text.utf8)[$0]) } == expected)
        }
    }

    private static func chat(_ item: JSONValue, _ shared: JSONValue) throws -> Chat {
        var extra = try #require(shared["tokens"]?.object)
        for member in item["extra"]?.object?.members ?? [] { extra[member.name] = member.value }
        func named(_ list: String, _ name: String?) -> [JSONValue]? { name.flatMap { shared[list]?[$0]?.array } }
        return Chat(
            messages: try #require(named("chats", item["chat"]?.string)), tools: named("tools", item["tools"]?.string),
            documents: named("documents", item["documents"]?.string),
            addGenerationPrompt: item["prompt"]?.bool ?? false, extra: extra,
            time: TemplateTime(year: 2025, month: 3, day: 9, hour: 14, minute: 5, second: 6))
    }

    @Test func expressionsAndStatementsMeanWhatTheyMeanInJinja() throws {
        let variables = try #require(try Fixtures.document("variables.json").object)
        let cases = try Fixtures.lines("expressions.jsonl")
        #expect(cases.count > 350)
        for item in cases {
            let source = try #require(item["template"]?.string)
            if let text = item["text"]?.string {
                let rendered = Result { try render(source, variables) }
                #expect((try? rendered.get()).map { Array($0.utf8) } == Array(text.utf8), "\(source): \(rendered)")
            } else {
                #expect(throws: TemplateError.self, "\(source)") { try render(source, variables) }
            }
        }
    }
}
