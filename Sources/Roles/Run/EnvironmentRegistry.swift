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

    /// The environment of a run file's section, with its options: built in, a dataset, or a program.
    public static func open(_ section: EnvironmentSection) async throws -> any Environment {
        try await openEnvironment(named: section.name, options: section.environmentOptions)
    }

    /// What the environment supplies below the run file.
    public static func runFileDefaults(_ section: EnvironmentSection) throws -> String? {
        try Environments.runFileDefaults(ofEnvironmentNamed: section.name, options: section.environmentOptions)
    }
}
