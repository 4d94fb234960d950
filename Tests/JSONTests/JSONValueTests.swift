import EnvironmentKit
import Foundation
import Testing

@testable import JSON

struct JSONValueTests {
    @Test func readsAndWritesCanonically() throws {
        let value = try JSONValue.parse(
            " { \"b\" : [1, -2.50, 1e3, true, null, \"\\u00e9\\ud83d\\ude00\\n\"], \"a\":{} } ")
        #expect(value.canonicalText == "{\"a\":{},\"b\":[1,-2.5,1000.0,true,null,\"é😀\\n\"]}")
        #expect(try JSONValue.parse(value.canonicalText) == value)
        #expect(value["b"] != nil && value["c"] == nil && value["a"]?["x"] == nil)
    }

    @Test(arguments: [
        "", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", ".5", "+1", "1e", "1e999", "nul",
        "\"\\x\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"a", "\"\n\"", "1 2", "{1:2}", "{\"a\" 1}", "NaN", "Infinity", "'a'",
        "[1 2]", "\u{FEFF}1", "tru", "-", "--1", "0x1", "\"\\u12\"", "[", "{\"a\":", "\"\\",
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    @Test func refusesInvalidUTF8AndDepth() {
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xED, 0xA0, 0x80, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: Never.self) {
            try JSONValue.parse(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
        }
        #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: "9", count: 500)) }
        #expect(throws: JSONError.self) { try JSONValue.parse("[1,2,3]", maximumBytes: 6) }
        let duplicate = #expect(throws: JSONError.self) { try JSONValue.parse(#"{"a":1,"a":2}"#) }
        #expect(duplicate?.isDuplicate == true)
    }

    @Test func wideIntegersBecomeNumbers() throws {
        #expect(try JSONValue.parse("9223372036854775807") == .integer(.max))
        #expect(try JSONValue.parse("9223372036854775808") == .number(0x1p63))
        #expect(try JSONValue.parse("-0") == .integer(0))
    }

    /// Damaged text ends in an error or in a value that survives the round trip, and Foundation agrees on soundness.
    @Test func survivesDamage() throws {
        let seed = Array("{\"prompt\": \"a\\u00e9\\\"b\", \"answer\": [1, -2.5e3, null, {\"x\": true}]}".utf8)
        let alphabet = Array("{}[]\",:\\u0189.eE+-tfn \u{0}é".utf8)
        let end = ContinuousClock.now + .seconds(1)
        var random = SplitMix64(seed: 1)
        while ContinuousClock.now < end {
            var bytes = seed
            for _ in 0..<random.integer(in: 1...5) where !bytes.isEmpty {
                let place = random.integer(in: 0...(bytes.count - 1))
                let byte = alphabet[random.integer(in: 0...(alphabet.count - 1))]
                switch random.integer(in: 0...3) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(byte, at: place)
                case 2: bytes[place] = byte
                default: bytes.removeSubrange(place...)
                }
            }
            if let value = try? JSONValue.parse(bytes) {
                #expect(try JSONValue.parse(value.canonicalText) == value)
                #expect((try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil)
            }
        }
    }
}
