import Testing

@testable import RunConfiguration

/// What TOML 1.0 allows and what it does not, case by case.
struct TOMLValueTests {
    @Test(arguments: [
        ("0", ConfigurationNode.Value.integer(0)), ("+99", .integer(99)), ("-17", .integer(-17)),
        ("1_000", .integer(1_000)), ("0xDEAD_beef", .integer(0xDEAD_BEEF)), ("0o755", .integer(0o755)),
        ("0b1101", .integer(13)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("3.14", .number(3.14)), ("-0.01", .number(-0.01)), ("5e+22", .number(5e22)), ("1e06", .number(1e6)),
        ("-2E-2", .number(-2e-2)), ("6.626e-34", .number(6.626e-34)), ("224_617.445_991", .number(224617.445991)),
        ("inf", .number(.infinity)), ("-inf", .number(-.infinity)), ("true", .flag(true)), ("false", .flag(false)),
        (#""a\tb\u00e9\U0001F600""#, .text("a\tb\u{e9}\u{1F600}")), (#"'C:\x'"#, .text(#"C:\x"#)), (#""""#, .text("")),
        ("\"\"\"\na\n  b\"\"\"", .text("a\n  b")), ("\"\"\"a \\\n   b\"\"\"", .text("a b")),
        ("\"\"\"\"a\"\"\"", .text("\"a")), ("\"\"\"a\"\"\"\"\"", .text("a\"\"")),
        ("'''\n'a' \\n'''", .text("'a' \\n")),
        ("[]", .list([])),
        ("[ 1, # one\n 2,\n]", .list([ConfigurationNode(.integer(1)), ConfigurationNode(.integer(2))])),
        ("{}", .table([:])),
        ("{ a.b = 1 }", .table(["a": ConfigurationNode(.table(["b": ConfigurationNode(.integer(1))]))])),
    ])
    func reads(_ text: String, _ value: ConfigurationNode.Value) throws {
        #expect(try ConfigurationNode(toml: "x = \(text) # end\r\n", source: "f")["x"]?.value == value)
    }

    @Test(arguments: [
        "a = 01", "a = 1__0", "a = _1", "a = 1_", "a = 1.", "a = .5", "a = 0x", "a = +0x1", "a = 0x-1", "a = tru",
        "a = 1 2", "a = \"x", "a = 'x\ny'", "[a", "[[a]", "[]", "a", "= 1", "a.b = 1\na = 2", "a = 1\na.b = 2",
        "a.b = 1\n[a]", "[a.b]\n[a]\nb.c = 1", "a = [1]\n[[a]]", "[[a]]\n[a]", "[a]\n[[a]]", "a = { b = 1 }\na.c = 2",
        "a = { b = 1 }\n[a.c]", "a = { b = 1,\n c = 2 }", "a = { b = 1, b = 2 }", "a = [1 2]", "a = \"\u{1}\"",
        #"a = "\ud800""#, #"a = "\U00110000""#, "a = \"\"\"x", "a = 07:32:00", "a = 1979-05-27", "a = 1e", "a = 1.2.3",
        "a = --1", "a = 1e5.5", "a = 9223372036854775808", "a = 0o8", "a = infinity", "a = \"x\" \"y\"",
    ])
    func refuses(_ text: String) {
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationNode(toml: text, source: "f") }
        #expect(error?.problems.first?.origin?.line != nil)
    }

    @Test func tablesOfTablesAndDottedKeys() throws {
        let node = try ConfigurationNode(
            toml: """
                a.b = 1
                a."c d" = 2
                [x.y.z]
                k = 1
                [x]
                k = 2
                [[e]]
                n = 1
                [[e]]
                n = 2
                [e.sub]
                m = 3
                """, source: "f")
        #expect(node["a"]?["c d"]?.integer == 2)
        #expect(node["x"]?["k"]?.integer == 2)
        #expect(node["x"]?["y"]?["z"]?["k"]?.integer == 1)
        guard case .list(let elements) = node["e"]?.value else {
            Issue.record("[[e]] is a list")
            return
        }
        #expect(elements.map { $0["n"]?.integer } == [1, 2])
        #expect(elements.last?["sub"]?["m"]?.integer == 3)
    }

    @Test func writingIsReadingBackwards() throws {
        let text = #"""
            a = 1.5
            b = "x\u0001\"\\"
            [t]
            c = [true, { d = -3, e = "é" }]
            "odd key" = 1e-7
            """#
        let node = try ConfigurationNode(toml: text, source: "f")
        #expect(try ConfigurationNode(toml: node.toml, source: "again") == node)
        #expect(try ConfigurationNode(json: node.json, source: "again") == node)
    }
}
