import Foundation
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// Starts the processes of a run, starts those again that die, and stops them together.
///
/// A process that keeps dying ends the run with the last lines of its log: a loop of restarts would hide the reason.
public final class Supervisor: Sendable {
    /// Something that happened to a process.
    public enum Notice: Sendable {
        /// It runs under this process id.
        case started(MemberProcess, processID: Int32, attempt: Int)
        /// It ended unexpectedly and will be started again after so many seconds.
        case died(MemberProcess, how: String, restartAfter: Double)
        /// It was refused for good and is not started again.
        case left(MemberProcess)
    }

    private let directory: RunDirectory
    private let executables: String
    private let grace: Duration
    private let notices: @Sendable (Notice) -> Void
    private let stopping = Mutex(false)
    private let living = Mutex<[String: Int32]>([:])
    /// Names of the members whose clean end finishes the run.
    private let leading = Mutex<Set<String>>([])

    /// Supervises processes whose executables lie in `executables` and whose logs belong to `directory`.
    public init(
        directory: RunDirectory, executables: String, grace: Duration = .seconds(20),
        notices: @escaping @Sendable (Notice) -> Void
    ) {
        self.directory = directory
        self.executables = executables
        self.grace = grace
        self.notices = notices
    }

    /// The process ids by member, for tests and for people who want to look.
    public var processIDs: [String: Int32] { living.withLock { $0 } }

    /// Asks every process to drain.
    ///
    /// ``run(_:)`` returns when they are gone. Who outlives the grace is killed.
    public func stop() {
        let wasStopping = stopping.withLock { stopping in
            defer { stopping = true }
            return stopping
        }
        guard !wasStopping else { return }
        // The one that leads the run drains the others and then ends; what is still there after that is asked itself.
        let leaders = leading.withLock { $0 }
        for (name, processID) in processIDs where leaders.contains(name) { _ = Glibc.kill(processID, SIGTERM) }
        Task {
            let began = ContinuousClock.now
            while processIDs.keys.contains(where: leaders.contains), began.duration(to: .now) < grace {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await Task.sleep(for: .milliseconds(500))
            signal(SIGTERM)
            try await Task.sleep(for: grace)
            signal(SIGKILL)
        }
    }

    /// Ends every process at once.
    public func kill() {
        stopping.withLock { $0 = true }
        signal(SIGKILL)
    }

    private func signal(_ number: Int32) {
        for (_, processID) in processIDs { _ = Glibc.kill(processID, number) }
    }

    /// Whether a stop was asked for.
    public var isStopping: Bool { stopping.withLock { $0 } }

    /// Runs the processes until one that finishes the run ends cleanly, or until ``stop()``.
    ///
    /// - Throws: A ``RoleFailure`` when a process cannot be started or keeps dying.
    public func run(_ members: [MemberProcess]) async throws {
        try FileManager.default.createDirectory(atPath: directory.logs, withIntermediateDirectories: true)
        leading.withLock { $0 = Set(members.filter { $0.ending == .finishesRun }.map(\.name)) }
        try await withThrowingTaskGroup(of: MemberProcess.self) { group in
            for member in members {
                group.addTask {
                    try await self.supervise(member)
                    return member
                }
            }
            do {
                // Every process returns: after its clean end, or because the run is stopping.
                while let member = try await group.next() {
                    if member.ending == .finishesRun, !isStopping { stop() }
                }
            } catch {
                stop()
                group.cancelAll()
                throw error
            }
        }
    }

    private func supervise(_ member: MemberProcess) async throws {
        var policy = RestartPolicy()
        var attempt = 0
        while !isStopping {
            attempt += 1
            let began = ContinuousClock.now
            let status = try await start(member, attempt: attempt)
            if isStopping { return }
            // Whoever ends cleanly was drained by the orchestrator: its work is done.
            if case .exited(0) = status { return }
            if case .exited(69) = status, member.ending == .mayLeave {
                notices(.left(member))
                return
            }
            // An exit that says "this can never work" is not repeated; the log says why. A listener that cannot listen
            // at its first start will not later either: its port belongs to somebody else.
            if case .exited(let code) = status, code == 64 || code == 65 || code == 69 && attempt == 1 {
                throw failure(of: member, status)
            }
            let lived = began.duration(to: .now)
            guard let delay = policy.delay(afterLifeOf: lived / .seconds(1)) else { throw failure(of: member, status) }
            notices(.died(member, how: Self.describe(status), restartAfter: delay))
            try await Task.sleep(for: .seconds(delay))
        }
    }

    private func start(_ member: MemberProcess, attempt: Int) async throws -> TerminationStatus {
        let log = try FileDescriptor.open(
            FilePath(directory.log(member.name)), .writeOnly, options: [.create, .append],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        var options = PlatformOptions()
        let environment = Dictionary(
            uniqueKeysWithValues: SupervisorWatch.environment(directory).map { name, value in
                (Subprocess.Environment.Key(stringLiteral: name), Optional(value))
            })
        // An own process group: a Ctrl-C at the terminal reaches the supervisor alone, which then drains in order.
        options.processGroupID = 0
        let result = try await Subprocess.run(
            .path(FilePath(executables + "/" + member.executable)), arguments: Arguments(member.arguments),
            environment: .inherit.updating(environment),
            platformOptions: options, input: .none,
            output: .fileDescriptor(log, closeAfterSpawningProcess: false),
            error: .fileDescriptor(log, closeAfterSpawningProcess: true)
        ) { execution in
            let processID = execution.processIdentifier.value
            living.withLock { $0[member.name] = processID }
            notices(.started(member, processID: processID, attempt: attempt))
            // A stop that came between the check and the start must reach this process too.
            if isStopping { _ = Glibc.kill(processID, SIGTERM) }
        }
        living.withLock { $0[member.name] = nil }
        return result.terminationStatus
    }

    private func failure(of member: MemberProcess, _ status: TerminationStatus) -> RoleFailure {
        let log = directory.log(member.name)
        let tail = (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").suffix(3)
            .joined(separator: "\n  ")
        let kind: RoleFailure.Kind =
            if case .exited(let code) = status { RoleFailure.Kind(rawValue: code) ?? .fault } else { .fault }
        return RoleFailure(
            kind, "\(member.name) \(Self.describe(status)) and cannot go on:\n  \(tail ?? "(its log is empty)")",
            advice: "The whole log is \(log).")
    }

    private static func describe(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let signal): signal == SIGKILL ? "was killed" : "died of signal \(signal)"
        }
    }
}
