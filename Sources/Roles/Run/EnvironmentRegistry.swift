import EnvironmentKit
import Environments
import RunConfiguration

/// Finds the environment that a run file names.
public enum EnvironmentRegistry {
    /// Every built-in environment, by id.
    public static var all: [any Environment.Type] { allEnvironments.sorted { $0.id < $1.id } }

    /// The type behind an id.
    ///
    /// - Throws: A ``RoleFailure`` that lists what there is.
    public static func type(named id: String) throws -> any Environment.Type {
        if let found = all.first(where: { $0.id == id }) { return found }
        throw RoleFailure(
            .badInput, "There is no environment \"\(id)\".",
            advice: "There are \(all.map { $0.id }.joined(separator: ", ")).")
    }

    /// Environments that are no Swift file: what they are called and what they are.
    public static let others: [(id: String, summary: String)] = [
        (DatasetEnvironment.id, DatasetEnvironment.summary), (ProcessEnvironment.id, ProcessEnvironment.summary),
    ]

    /// The section that a person's short name of an environment stands for.
    ///
    /// - Parameters:
    ///   - name: An id of ``all``, `dataset:FILE.jsonl`, `process:COMMAND`, or `@run.toml` for the environment of a run
    ///     file.
    ///   - options: Lines `KEY=VALUE`, laid over the options that the name implies; values are TOML, or else texts.
    /// - Throws: A ``RoleFailure`` or `ConfigurationError` that says what is wrong.
    public static func section(named name: String, options: [String]) throws -> EnvironmentSection {
        var layers: [ConfigurationNode] = []
        if name.hasPrefix("@") {
            let file = try ConfigurationNode(file: String(name.dropFirst()))
            guard let environment = file["environment"] else {
                throw RoleFailure(
                    .badInput, "\(name.dropFirst()) has no [environment].", advice: "Name an environment in it.")
            }
            layers.append(environment)
        } else if let (id, rest) = split(name), id == DatasetEnvironment.id {
            layers.append(try ConfigurationNode(named: id, option: "path", value: .text(rest)))
        } else if let (id, rest) = split(name), id == ProcessEnvironment.id {
            let words = rest.split(separator: " ").map { ConfigurationNode(.text(String($0))) }
            layers.append(try ConfigurationNode(named: id, option: "command", value: .list(words)))
        } else {
            layers.append(ConfigurationNode(.table(["name": ConfigurationNode(.text(name))])))
        }
        for option in options {
            guard let equals = option.firstIndex(of: "="), equals > option.startIndex else {
                throw RoleFailure(.usage, "\"\(option)\" is no option.", advice: "Write KEY=VALUE.")
            }
            layers.append(
                try ConfigurationOverride(
                    name: "options." + option[..<equals], value: String(option[option.index(after: equals)...])
                ).node)
        }
        var problems: [ConfigurationError.Problem] = []
        var section = EnvironmentSection()
        section.decode(ConfigurationNode.composed(layers), path: "environment", problems: &problems)
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return section
    }

    /// The parts of `id:rest`; nil of anything else.
    private static func split(_ name: String) -> (id: String, rest: String)? {
        guard let colon = name.firstIndex(of: ":") else { return nil }
        return (String(name[..<colon]), String(name[name.index(after: colon)...]))
    }

    /// The environment of a run file's section, with its options: built in, a dataset, or a program.
    public static func open(_ section: EnvironmentSection) async throws -> any Environment {
        try await openEnvironment(named: section.name, options: section.environmentOptions)
    }

    /// What the environment supplies below the run file.
    public static func runFileDefaults(_ section: EnvironmentSection) throws -> String? {
        try Environments.runFileDefaults(ofEnvironmentNamed: section.name, options: section.environmentOptions)
    }
}

extension ConfigurationNode {
    /// An environment section with one option.
    fileprivate init(named id: String, option: String, value: Value) throws {
        self.init(
            .table([
                "name": ConfigurationNode(.text(id)),
                "options": ConfigurationNode(.table([option: ConfigurationNode(value)])),
            ]))
    }
}
