public import EnvironmentKit
import Rewards

/// Makes the environment that a run file names: a registered one, a dataset or a program.
///
/// - Parameters:
///   - name: `[environment] name`.
///   - options: `[environment.options]`.
/// - Throws: An `EnvironmentError` that lists the known names or says which option is wrong.
public func openEnvironment(named name: String, options: EnvironmentOptions = [:]) async throws -> any Environment {
    switch name {
    case DatasetEnvironment.id: return try DatasetEnvironment(options: options, rewards: allRewards)
    case ProcessEnvironment.id: return try await ProcessEnvironment.start(options: options)
    default: return try registeredEnvironment(named: name).init(options: options)
    }
}

/// What an environment supplies to a run file, as TOML: the layer below the file itself.
///
/// Cheap: neither a dataset is read nor a program started for it.
///
/// - Throws: An `EnvironmentError` that lists the known names or says which option is wrong.
public func runFileDefaults(ofEnvironmentNamed name: String, options: EnvironmentOptions = [:]) throws -> String {
    guard reservedEnvironmentNames.contains(name) else {
        return try registeredEnvironment(named: name).init(options: options).runFileDefaults
    }
    guard case .integer(let limit)? = options["max_tokens"] else { return "" }
    return "[sampling]\nmax_tokens = \(limit)\n"
}

/// The type of a registered environment.
private func registeredEnvironment(named name: String) throws -> any Environment.Type {
    if let type = allEnvironments.first(where: { $0.id == name }) { return type }
    let known = (allEnvironments.map { $0.id } + reservedEnvironmentNames).joined(separator: ", ")
    throw EnvironmentError(
        .unknownName, at: "environment.name", "there is no environment \"\(name)\"; known are \(known)")
}
