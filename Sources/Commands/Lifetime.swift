import Foundation
import Logging
import ServiceLifecycle

/// How a long-running process ends: SIGINT and SIGTERM drain it, a second one or a stuck drain ends it.
enum Lifetime {
    /// Runs a role until it ends by itself or a signal asks it to drain.
    static func run(_ label: String, log: Logger, _ role: @escaping @Sendable () async throws -> Void) async throws {
        let service = RoleService(role: role)
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        configuration.maximumCancellationDuration = .seconds(25)
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// A role as a service: a graceful shutdown is a cancelled task, which every role understands as "drain".
private struct RoleService: Service {
    let role: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await role() }
        } catch is CancellationError {
            return
        }
    }
}
