import Foundation
import Logging
import ServiceLifecycle

/// In a member of a swarm: notices that the supervisor is gone without having said so, and lets the member drain.
///
/// Members live in process groups of their own, so nothing else would end them. A process whose parent dies gets another
/// parent; looking for that twice a second is dull, and holds for every way in which a supervisor can end.
public struct SupervisorWatch: Service {
    /// Names the supervisor's process id in the environment of its members.
    static let processKey = "APUS_SUPERVISOR"
    /// Names the lock that members share in their environment.
    static let lockKey = "APUS_RUN_LOCK"

    private let supervisor: Int32
    private let lock: RunLock?
    private let log: Logger

    /// A watch over the supervisor that the environment names; nil in a process that a person started.
    public init?(environment: [String: String] = ProcessInfo.processInfo.environment, log: Logger) {
        guard let supervisor = environment[Self.processKey].flatMap({ Int32($0) }) else { return nil }
        self.supervisor = supervisor
        self.log = log
        lock = environment[Self.lockKey].flatMap { RunLock.share($0) }
    }

    /// What a supervisor adds to the environment of its members.
    static func environment(_ directory: RunDirectory) -> [String: String] {
        [processKey: "\(getpid())", lockKey: directory.membersLock]
    }

    /// Returns when the supervisor is gone, or when the process shuts down anyway.
    public func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while getppid() == supervisor { try await Task.sleep(for: .milliseconds(500)) }
            log.notice("The supervisor is gone; draining.")
        }
        withExtendedLifetime(lock) {}
    }
}
