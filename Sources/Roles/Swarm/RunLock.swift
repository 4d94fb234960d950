import Foundation

/// Keeps two swarms out of one run directory: a lock on a file, which the kernel drops when its holder dies, however
/// it dies.
///
/// The supervisor holds one lock alone. Its members share another one, so that a run whose supervisor was killed goes on
/// only when the last of them is gone.
public final class RunLock: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Claims the directory for a supervisor.
    ///
    /// - Parameter patience: Seconds to wait for the members of a supervisor that was killed.
    /// - Throws: A ``RoleFailure`` when another supervisor lives, or a member of an earlier one does not end.
    static func supervise(_ directory: RunDirectory, patience: Double = 40) throws -> RunLock {
        guard let lock = try take(directory.supervisorLock, LOCK_EX) else {
            throw RoleFailure(
                .usage, "Another process runs the swarm in \(directory.root).",
                advice: "Stop it with Ctrl-C there, or choose another run.directory.")
        }
        // Held only for a moment: members take their share of it when they start.
        let began = ContinuousClock.now
        while try take(directory.membersLock, LOCK_EX) == nil {
            guard began.duration(to: .now) < .seconds(patience) else {
                throw RoleFailure(
                    .fault, "Processes of an earlier swarm still work in \(directory.root).",
                    advice: "They should have ended with it; end them by hand.")
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return lock
    }

    /// A member's share, by the path that its supervisor gave it; nil where the file is gone.
    public static func share(_ path: String) -> RunLock? { try? take(path, LOCK_SH) }

    private static func take(_ path: String, _ kind: Int32) throws -> RunLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw RoleFailure(
                .fault, "\(path) cannot be opened: \(String(cString: strerror(errno))).",
                advice: "Check the directory's permissions and the disk's free space.")
        }
        let lock = RunLock(descriptor)
        return flock(descriptor, kind | LOCK_NB) == 0 ? lock : nil
    }
}
