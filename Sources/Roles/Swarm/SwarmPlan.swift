import Foundation
import Identity
import Messages
import RunConfiguration
import Shardcast

/// A run prepared on this machine: its directory, keys, ports and join tickets, and the processes to start.
public struct SwarmPlan: Sendable {
    /// What to do with a directory that holds a run already.
    public enum Existing: Sendable {
        /// Refuse, so that nobody loses a run by a repeated command.
        case refuse
        /// Go on with it.
        case resume
        /// Throw it away.
        case clean
    }

    /// The resolved run file, ports included.
    public let file: RunFile
    /// Where the run lives.
    public let directory: RunDirectory
    /// The run's identity.
    public let runID: Hash256
    /// The lab's public keys.
    public let lab: NodePublicKeys
    /// Names of the workers that cheat.
    public let dishonest: [String]
    /// Names of all workers of this machine.
    public let workers: [String]
    /// The address that others join by.
    public let address: String
    /// The processes to start.
    public let members: [MemberProcess]
    /// Keeps others out of the directory for as long as the plan lives.
    private let lock: RunLock

    /// Prepares the run of a file.
    ///
    /// - Throws: A ``RoleFailure`` when the directory holds another run, or cannot be written.
    public init(_ original: RunFile, existing: Existing) throws {
        var file = original
        let directory = RunDirectory(file.run.resolvedDirectory)
        lock = try Self.claim(directory, existing)
        if existing == .resume { try ResumeCheck(directory).prepare(&file) }
        let secrets = try RunSecrets(directory: directory)
        let lab = try NodeKeys.loadOrCreate(path: directory.key("lab"))
        let trainer = try NodeKeys.loadOrCreate(path: directory.key("trainer"))
        if file.network.orchestratorPort == 0 {
            file.network.orchestratorPort = try FreePort.any(host: file.network.host)
        }
        if file.network.relayPort == 0 { file.network.relayPort = try FreePort.any(host: file.network.host) }
        // Written down, so that a prompt is the same text after a restart tomorrow.
        if file.run.date.isEmpty { file.run.date = Date.now.formatted(.iso8601.year().month().day()) }
        let workers = (0..<file.swarm.workers).map { "worker-\($0 + 1)" }
        let verifiers = (0..<file.swarm.verifiers).map { "verifier-\($0 + 1)" }
        // The last ones lie, so that worker-1 is what a contributor would see.
        dishonest = Array(workers.suffix(file.swarm.dishonest))

        // Members of this machine are invited, which gives them a stake to lose.
        let invitations = try Self.invitations(for: workers, in: directory)
        file.admission.invites += invitations.values.filter { !file.admission.invites.contains($0) }.sorted()
        let ticket = try JoinTicket(
            host: file.network.advertise ?? Self.reachable(file.network.host), port: file.network.orchestratorPort,
            run: secrets.runID.bytes, key: "\(lab.publicLine)")
        try Self.write(ticket.toml, to: directory.ticket)
        for (worker, invitation) in invitations {
            let invited = try JoinTicket(
                host: ticket.host, port: Int(ticket.port), run: ticket.run, key: ticket.key, invite: invitation)
            try Self.write(invited.toml, to: directory.keys + "/\(worker).join.toml", mode: 0o600)
        }
        for verifier in verifiers {
            let keys = try NodeKeys.loadOrCreate(path: directory.key(verifier))
            let line = "\(keys.publicLine)"
            if !file.admission.verifiers.contains(line) { file.admission.verifiers.append(line) }
        }
        let trainerLine = "\(trainer.publicLine)"
        if !file.admission.trainers.contains(trainerLine) { file.admission.trainers.append(trainerLine) }
        if let token = file.weights.relayToken {
            try Self.write(JoinToken(token).text + "\n", to: directory.relayTokens, mode: 0o600)
        }
        // It holds the invitations.
        try Self.write(file.json, to: directory.runFile, mode: 0o600)

        self.file = file
        self.workers = workers
        address = ticket.url
        self.directory = directory
        self.lab = lab.publicLine
        runID = secrets.runID
        members = Self.members(file, directory, workers, verifiers, dishonest, lab.publicLine)
    }

    private static func members(
        _ file: RunFile, _ directory: RunDirectory, _ workers: [String], _ verifiers: [String], _ dishonest: [String],
        _ lab: NodePublicKeys
    ) -> [MemberProcess] {
        let host = file.network.host
        var members = [
            MemberProcess(
                name: "orchestrator", executable: "orchestrator", arguments: ["@", directory.runFile],
                ending: .finishesRun),
            MemberProcess(
                name: "relay", executable: "relay",
                arguments: [
                    "--listen", "\(host):\(file.network.relayPort)", "--origin", directory.origin, "--trust", "\(lab)",
                ] + (file.weights.relayToken == nil ? [] : ["--tokens", directory.relayTokens])),
            MemberProcess(name: "trainer", executable: "trainer", arguments: ["@", directory.runFile]),
        ]
        members += verifiers.map { name in
            MemberProcess(
                name: name, executable: "verifier",
                arguments: [
                    "join", directory.ticket, "--key", directory.key(name), "--name", name, "--cache",
                    directory.cache(name), "--threads", "\(file.swarm.verifierThreads)", "--memory-limit",
                    "\(file.swarm.verifierMemory)",
                ])
        }
        members += workers.map { name in
            MemberProcess(
                name: name, executable: "rollout-worker",
                arguments: [
                    "join", directory.keys + "/\(name).join.toml", "--key", directory.key(name), "--name", name,
                    "--cache", directory.cache(name), "--threads", "\(file.swarm.workerThreads)", "--groups",
                    "\(file.swarm.groupsInFlight)", "--memory-limit", "\(file.swarm.workerMemory)",
                ] + (dishonest.contains(name) ? ["--dishonest"] : []), ending: .mayLeave)
        }
        return members.map { $0.logging(at: file.telemetry.logLevel.rawValue) }
    }

    private static func claim(_ directory: RunDirectory, _ existing: Existing) throws -> RunLock {
        let manager = FileManager.default
        let isUsed = manager.fileExists(atPath: directory.runFile)
        switch existing {
        case .refuse where isUsed:
            throw RoleFailure(
                .usage, "\(directory.root) holds a run already.",
                advice: "Go on with it by --resume, start over by --clean, or choose another run.directory.")
        case .resume where !isUsed:
            throw RoleFailure(
                .usage, "There is no run in \(directory.root) to go on with.", advice: "Leave --resume out.")
        default: break
        }
        do {
            let locks = (directory.supervisorLock as NSString).deletingLastPathComponent
            try manager.createDirectory(atPath: locks, withIntermediateDirectories: true)
            let lock = try RunLock.supervise(directory)
            if existing == .clean, isUsed {
                // Only what a run makes: somebody's own files in the directory are not ours to remove.
                for entry in try manager.contentsOfDirectory(atPath: directory.root)
                where directory.owns(entry) && directory.root + "/" + entry != locks {
                    try manager.removeItem(atPath: directory.root + "/" + entry)
                }
            }
            for path in [directory.logs, directory.keys] {
                try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            return lock
        } catch let failure as RoleFailure {
            throw failure
        } catch {
            throw RoleFailure(
                .fault, "\(directory.root) cannot be created: \(error.localizedDescription).",
                advice: "Check the permissions and the disk's free space, or choose another run.directory.")
        }
    }

    private static func invitations(for workers: [String], in directory: RunDirectory) throws -> [String: String] {
        var invitations: [String: String] = [:]
        for worker in workers {
            let path = directory.keys + "/\(worker).join.toml"
            let known = (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { try? JoinTicket($0).invite }
            invitations[worker] = try known ?? Hexadecimal.encode(randomBytes(16))
        }
        return invitations
    }

    private static func reachable(_ host: String) -> String { host == "0.0.0.0" ? "127.0.0.1" : host }

    private static func write(_ text: String, to path: String, mode: Int = 0o644) throws {
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else {
            throw RoleFailure(
                .fault, "\(path) cannot be written.", advice: "Check the permissions and the disk's free space.")
        }
    }
}
