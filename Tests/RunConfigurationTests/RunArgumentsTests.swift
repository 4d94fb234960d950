import Testing

@testable import RunConfiguration

struct RunArgumentsTests {
    @Test func takesALineApart() throws {
        let line = try RunArguments(parsing: [
            "@", "run.toml", "--dry-run", "@b.toml", "--training.steps", "3", "--out", "DIR",
            "--sampling.allow-filters",
            "--x.y=a=b", "--z.n", "-1", "--", "--a.b", "c",
        ])
        #expect(line.files == ["run.toml", "b.toml"])
        #expect(line.remaining == ["--dry-run", "--out", "DIR", "--a.b", "c"])
        #expect(
            line.overrides.map(\.path) == [
                ["training", "steps"], ["sampling", "allow_filters"], ["x", "y"], ["z", "n"],
            ])
        #expect(line.overrides.map(\.value) == ["3", "true", "a=b", "-1"])
    }

    @Test(arguments: [["@"], ["@", "--training.steps"], ["--.steps", "1"], ["--a.", "1"], ["--a..b", "1"]])
    func refusesWhatIsHalfWritten(_ arguments: [String]) {
        #expect(throws: ConfigurationError.self) { try RunArguments(parsing: arguments) }
    }

    @Test(arguments: [
        ("3", ConfigurationNode.Value.integer(3)), ("3.0", .number(3)), ("true", .flag(true)), ("\"3\"", .text("3")),
        ("127.0.0.1", .text("127.0.0.1")), ("a # b", .text("a # b")), ("1\n[x]\ny = 2", .text("1\n[x]\ny = 2")),
        ("", .text("")), ("2026-01-01", .text("2026-01-01")),
    ])
    func valuesAreTOMLOrText(_ typed: String, _ value: ConfigurationNode.Value) throws {
        let node = try ConfigurationOverride(name: "a.b", value: typed).node
        #expect(node["a"]?["b"]?.value == value)
    }
}
