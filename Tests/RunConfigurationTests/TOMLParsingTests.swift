import Testing

@testable import RunConfiguration

struct TOMLParsingTests {
    @Test func keepsValuesAndLines() throws {
        let node = try ConfigurationNode(
            toml: "a-b = 1\n\n[t.u]\nx = [1, \"two\", { three = 3.5 }]\n  \"y\" = true\n", source: "f")
        #expect(node["a_b"]?.integer == 1)
        #expect(
            node["t"]?["u"]?["x"]?.value
                == .list([
                    ConfigurationNode(.integer(1)), ConfigurationNode(.text("two")),
                    ConfigurationNode(.table(["three": ConfigurationNode(.number(3.5))])),
                ]))
        #expect(node["t"]?["u"]?["y"]?.origin?.description == "f:5")
        #expect(node["t"]?["u"]?.origin?.line == 3)
    }

    @Test(arguments: [
        "a = ", "a = 1\na = 2", "[a]\n[a]", "a = 2020-01-01", "\"a\\u0000b\" = 1", "a\0 = 1", "x-y = 1\nx_y = 2",
        "a = \"\\q\"", "a = 99999999999999999999",
    ])
    func refusesWithThePlace(_ text: String) {
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationNode(toml: text, source: "f.toml") }
        #expect(error?.description.hasPrefix("f.toml") == true)
    }

    @Test func refusesTheTooLargeAndTheTooDeep() {
        let large = "a = \"" + String(repeating: "x", count: ConfigurationNode.maximumFileBytes) + "\""
        #expect(throws: ConfigurationError.self) { try ConfigurationNode(toml: large, source: "f") }
        let deep = "a = " + String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
        #expect(throws: ConfigurationError.self) { try ConfigurationNode(toml: deep, source: "f") }
        let json = String(repeating: "[", count: 100_000)
        #expect(throws: ConfigurationError.self) { try ConfigurationNode(json: json, source: "f") }
    }

    /// Damaged files end in an error or in a value, never in a trap.
    @Test func survivesDamage() {
        let seeds = [
            LoadingTests.minimal + "[training]\nclip = { low = 0.1, high = 1_000.5e-3 }\nbetas = [0.9, 0.99]\n",
            "a = \"\"\"x\ny\"\"\"\n[[b]]\nc = 'd'\n[[b]]\nc = 0xff\n", "\"k e y\".'x' = [true, inf, nan, -0.0]\n",
        ]
        let alphabet = Array("[]{}=\"'\\.#,\n ae01-_+\u{7f}é😀".unicodeScalars)
        var random = SystemRandomNumberGenerator()
        let end = ContinuousClock.now + .seconds(1)
        var round = 0
        while ContinuousClock.now < end {
            round += 1
            var scalars = Array(seeds[round % seeds.count].unicodeScalars)
            for _ in 0..<Int.random(in: 1...6, using: &random) where !scalars.isEmpty {
                let place = Int.random(in: 0..<scalars.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: scalars.remove(at: place)
                case 1: scalars.insert(alphabet[Int.random(in: 0..<alphabet.count, using: &random)], at: place)
                case 2: scalars[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                default: scalars.removeSubrange(place...)
                }
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            if let node = try? ConfigurationNode(toml: text, source: "fuzz") {
                _ = try? RunFile.load(layers: [node])
                _ = try? ConfigurationNode(toml: node.toml, source: "again")
            }
        }
    }
}
