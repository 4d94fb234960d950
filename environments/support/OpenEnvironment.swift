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
    default:
        guard let type = allEnvironments.first(where: { $0.id == name }) else {
            let known = (allEnvironments.map { $0.id } + reservedEnvironmentNames).joined(separator: ", ")
            throw EnvironmentError(
                .unknownName, at: "environment.name", "there is no environment \"\(name)\"; known are \(known)")
        }
        return try type.init(options: options)
    }
}
