import Foundation
import Logging
import Roles
import ServiceLifecycle

/// How a long-running process ends: SIGINT and SIGTERM drain it, a second one or a stuck drain ends it.
enum Lifetime {
    /// Runs a role until it ends by itself, a signal asks it to drain, or the supervisor that started it is gone.
    static func run(_ label: String, log: Logger, _ role: @escaping @Sendable () async throws -> Void) async throws {
        let services: [any Service] = [RoleService(role: role)] + (SupervisorWatch(log: log).map { [$0] } ?? [])
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
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
