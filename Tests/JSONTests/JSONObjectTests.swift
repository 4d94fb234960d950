import Testing

@testable import JSON

@Suite("JSON objects")
struct JSONObjectTests {
    @Test("members keep the order of the text, and equality ignores it")
    func order() throws {
        let object = try #require(try JSONValue.parse(#"{"z":1,"a":[2],"m":null}"#).object)
        #expect(object.names == ["z", "a", "m"])
        #expect(JSONValue.object(object).line == #"{"z":1,"a":[2],"m":null}"#)
        let other: JSONObject = ["a": [2], "m": nil, "z": 1]
        #expect(object == other && object.hashValue == other.hashValue)
        #expect(object != ["a": [2], "m": nil, "z": 2] && object != ["a": [2], "m": nil])
    }

    @Test("names that differ only in normal form are two names")
    func bytes() throws {
        let text = "{\"\u{e9}\":1,\"e\u{301}\":2}"
        let object = try #require(try JSONValue.parse(text).object)
        #expect(object.count == 2)
        #expect(object["\u{e9}"] == 1 && object["e\u{301}"] == 2)
        #expect(JSONValue.object(object).line == text)
    }

    @Test("setting replaces in place, appends and removes")
    func setting() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = "x"
        object["c"] = true
        object["b"] = nil
        object["nothing"] = nil
        #expect(JSONValue.object(object).line == #"{"a":"x","c":true}"#)
    }

    @Test("indented text is what Hugging Face writes")
    func indented() {
        let value: JSONValue = ["eps": .number(shortest: 1e-6), "ids": [1, 2], "none": [], "theta": 10000.0]
        #expect(
            value.indentedText == """
                {
                  "eps": 1e-06,
                  "ids": [
                    1,
                    2
                  ],
                  "none": [],
                  "theta": 10000.0
                }

                """)
    }
}
