import Testing

@testable import Safetensors

@Suite("Strict JSON")
struct JSONValueTests {
    @Test("a document survives writing and reading")
    func roundTrip() throws {
        let document = JSONValue.object([
            .init("z", .array([.integer(1), .double(1e-6), .null, .bool(true), .string("a\"\\\n\u{1}é")])),
            .init("a", .object([])), .init("b", .array([])),
        ])
        #expect(try JSONValue.parse(Array(document.text.utf8)) == document)
        #expect(document["z"] != nil && document["y"] == nil)
        #expect(JSONValue.number("1e-06").double == 1e-6)
        #expect(JSONValue.number("1.0").integer == nil)
    }

    @Test(
        "what is not strict JSON is refused",
        arguments: [
            "", "{", "[1,]", "[1 2]", "{\"a\":1,}", "{a:1}", "nul", "truee", "01", "+1", ".5", "1.", "1e", "- 1", "NaN",
            "\"\\u12\"", "\"\t\"", "[] x", "'a'", "/**/1",
        ])
    func refused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(text.utf8)) }
    }

    @Test("duplicates, depth and size have limits")
    func limits() {
        let duplicate = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(#"{"a":1,"a":2}"#.utf8)) }
        #expect(duplicate?.isDuplicate == true)
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(deep.utf8)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array("[1,2,3]".utf8), maximumBytes: 6) }
    }
}
