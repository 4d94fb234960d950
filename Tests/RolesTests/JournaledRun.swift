import Foundation
import Identity
import Orchestration

@testable import Roles

/// A small run of the pure state machine whose facts go into a real database, step after step.
struct JournaledRun {
    static let trainer = SigningKey().publicKey

    let path: String
    private(set) var run: Run
    private(set) var database: RunDatabase
    private var connections: [PublicKey: ConnectionID] = [:]
    private var messages: UInt64 = 0
    private var now: UInt64 = 0

    static let configuration = Run.Configuration(
        runID: .zero, secret: [7], steps: .max, groupsPerBatch: 8, trainers: [trainer])

    /// Begins a run in a new database file, with a version published and everybody there.
    init() throws {
        path = NSTemporaryDirectory() + "apus-journal-\(UUID().uuidString).sqlite"
        database = try RunDatabase(path: path, run: .zero)
        run = try Run(configuration: Self.configuration)
        try join()
        try publish(0)
    }

    /// Removes the database file.
    func remove() {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    /// The process ends and another one takes the database up.
    mutating func restart() throws -> RunDatabase.Restored {
        database = try RunDatabase(path: path, run: .zero)
        let restored = try database.restore()
        run = try Run(configuration: Self.configuration, resuming: restored.state)
        connections = [:]
        try join()
        return restored
    }

    /// Makes optimizer steps: each has its groups generated, audited, batched and trained on.
    mutating func make(steps: Int) throws {
        for _ in 0..<steps {
            let step = run.state.cutStep + 1
            while run.state.cutStep < step {
                try send(.batchRequested(from: from(Self.trainer), step: step))
                let worker = from(TestKeys.worker)
                for case .sendLeases(_, let leases) in try send(.leasesRequested(from: worker, groups: 8)) {
                    for lease in leases { try submit(lease.id) }
                }
                try send(.auditsRequested(from: from(TestKeys.verifier), groups: 8))
                for audit in run.state.audits.keys.sorted() {
                    let verdict = AuditVerdict.accepted(.init(rewards: [1, 0], verifiedFLOPs: 100, auditFLOPs: 10))
                    try send(.auditReported(from: from(TestKeys.verifier), audit: audit, verdict: verdict))
                }
            }
            try publish(step)
            try send(.batchDone(from: from(Self.trainer), step: step))
            if step % 4 == 0 { try send(.checkpointStable(from: from(Self.trainer), step: step)) }
        }
    }

    private mutating func submit(_ lease: UInt64) throws {
        var hash = SHA256()
        hash.update(littleEndian: lease)
        let group = hash.finalize()
        let submission = Submission(lease: lease, group: group, tokens: 9, work: 100, content: group)
        try send(.groupSubmitted(submission, from: from(TestKeys.worker)))
    }

    private mutating func publish(_ step: UInt64) throws {
        let version = PolicyVersion(number: step, weightsHash: SHA256.hash([UInt8(step & 255)]), step: step)
        try send(.versionPublished(from: from(Self.trainer), version: version))
    }

    private mutating func join() throws {
        for (key, role) in [(Self.trainer, Role.trainer), (TestKeys.worker, .worker), (TestKeys.verifier, .verifier)] {
            connections[key] = ConnectionID(UInt64(connections.count + 1))
            let hello = Hello(key: key, role: role, resumeStep: run.state.doneStep)
            try send(.hello(hello, from: from(key)))
        }
    }

    private mutating func from(_ key: PublicKey) -> Correspondent {
        messages += 1
        return Correspondent(connections[key] ?? ConnectionID(0), message: messages)
    }

    @discardableResult
    private mutating func send(_ event: Event) throws -> [Action] {
        now += 1
        let actions = run.step(event, at: Instant(milliseconds: now))
        var turn = RunDatabase.Turn()
        for case .journal(let fact) in actions { turn.facts.append(fact) }
        try database.commit(turn)
        return actions
    }
}
