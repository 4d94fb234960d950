/// What an environment supplies to the run file, as TOML, given its section; nil if it supplies nothing.
public typealias EnvironmentDefaults = (EnvironmentSection) throws -> String?

extension RunFile {
    /// Loads run files and overrides: the only way in which processes get their settings.
    ///
    /// The layers, lowest first: our defaults, what the environment supplies, the files from left to right, the
    /// overrides in their order.
    ///
    /// - Parameters:
    ///   - files: Paths of TOML files (or of a `run.json`).
    ///   - overrides: What the command line says.
    ///   - environmentDefaults: Asks the environment that the layers name.
    /// - Throws: A ``ConfigurationError`` with everything that is wrong, or what `environmentDefaults` throws.
    public static func load(
        files: [String], overrides: [ConfigurationOverride] = [],
        environmentDefaults: EnvironmentDefaults = { _ in nil }
    ) throws -> RunFile {
        var layers: [ConfigurationNode] = []
        var problems: [ConfigurationError.Problem] = []
        for file in files {
            do throws(ConfigurationError) {
                layers.append(try ConfigurationNode(file: file))
            } catch {
                problems += error.problems
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return try load(layers: layers + overrides.map(\.node), environmentDefaults: environmentDefaults)
    }

    /// Loads layers that have been read already, lowest first.
    public static func load(
        layers: [ConfigurationNode], environmentDefaults: EnvironmentDefaults = { _ in nil }
    ) throws -> RunFile {
        let written = ConfigurationNode.composed(layers)
        var problems: [ConfigurationError.Problem] = []

        // The environment is needed first, because it supplies a layer below the written ones.
        var environment = EnvironmentSection()
        if let section = written["environment"] {
            environment.decode(section, path: "environment", problems: &problems)
        }
        var composed = written
        if problems.isEmpty, !environment.name.isEmpty, let toml = try environmentDefaults(environment) {
            let defaults = try ConfigurationNode(toml: toml, source: "defaults of \(environment.name)")
            composed = defaults.overlaid(with: written)
        }

        problems = []
        var file = RunFile()
        file.decode(composed, path: "", problems: &problems)
        if problems.isEmpty { problems = file.rulesBroken(in: composed) }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return file
    }

    /// The resolved run as TOML that loads as the same run: what `--dry-run` prints.
    public var toml: String { node.toml }

    /// The resolved run as JSON: what `run.json` holds.
    public var json: String { node.json + "\n" }

    /// The keys whose values differ from another run file's, such as `training.learning_rate`.
    public func differences(from other: RunFile) -> [String] {
        Self.differences(node, other.node, path: "")
    }

    private static func differences(_ left: ConfigurationNode?, _ right: ConfigurationNode?, path: String) -> [String] {
        guard left != right else { return [] }
        guard let first = left?.table, let second = right?.table else { return [path] }
        let keys = first.keys + second.keys.filter { first[$0] == nil }
        return keys.flatMap { differences(first[$0], second[$0], path: path.isEmpty ? $0 : "\(path).\($0)") }
    }
}
