import Foundation
import GRDB
import Identity
import Ledger
import Orchestration

/// Everything that a run must not lose: the journal of facts, the payloads that they name, and the ledger, in one
/// SQLite file.
///
/// One call of ``commit(_:)`` is one synced transaction. What the state machine decided becomes visible to the outside
/// only after it returned, so a receipt, a lease or a batch never refers to something that a crash could undo.
public final class RunDatabase: Sendable {
    let pool: DatabasePool

    /// What one turn of the orchestrator writes, all or nothing.
    struct Turn: Sendable {
        var facts: [Fact] = []
        var settlements: [Settlement] = []
        var groups: [StoredGroup] = []
        var replays: [StoredReplay] = []
        var scores: [StoredScore] = []
        var evidence: [StoredEvidence] = []
        var accusations: [StoredEvidence] = []
        var margins: [StoredMargins] = []
        var forgotten: [Hash256] = []

        var isEmpty: Bool {
            facts.isEmpty && settlements.isEmpty && groups.isEmpty && replays.isEmpty && scores.isEmpty
                && evidence.isEmpty && accusations.isEmpty && margins.isEmpty && forgotten.isEmpty
        }
    }

    /// A group as received, signature included: never re-encoded.
    struct StoredGroup: Sendable {
        var hash: Hash256
        var payload: [UInt8]
        var signature: [UInt8]
    }

    /// What an accepted group's replay gave; the training input.
    struct StoredReplay: Sendable {
        var hash: Hash256
        /// An encoded `AuditReport`.
        var report: [UInt8]
        var rewards: [Float]
        var verifier: String
    }

    /// The rewards of a group that was not audited.
    struct StoredScore: Sendable {
        var hash: Hash256
        var rewards: [Float]
    }

    /// Why a group was rejected, with both sides' numbers: whoever doubts a verdict can replay the group and compare.
    struct StoredEvidence: Sendable {
        /// Rejections that are kept; older ones go.
        static let kept = 1000
        /// Bytes of bundles that are kept.
        static let keptBytes = 1 << 30

        var hash: Hash256
        var finding: Finding
        /// An encoded `AuditReport`.
        var report: [UInt8]
        var verifier: String
        /// An `EvidenceBundle`, to be handed out as it is; nil where it could not be made.
        var bundle: [UInt8]?
        /// Whether the group is in the database; the payload of any other is in its bundle only.
        var isJournaled = true
    }

    /// Opens or creates the database of a run.
    ///
    /// - Throws: A ``RoleFailure`` when the file belongs to another run or cannot be written.
    public init(path: String, run: Hash256) throws {
        do {
            pool = try DatabasePool(path: path, configuration: Ledger.durableConfiguration())
            var migrator = DatabaseMigrator()
            migrator.registerMigration("journal-1") { database in
                try database.execute(
                    sql: """
                        CREATE TABLE run (id BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID;
                        CREATE TABLE facts (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL);
                        CREATE TABLE groups (
                            hash BLOB NOT NULL PRIMARY KEY, payload BLOB NOT NULL, signature BLOB NOT NULL
                        ) WITHOUT ROWID;
                        CREATE TABLE replays (
                            hash BLOB NOT NULL PRIMARY KEY, report BLOB NOT NULL, rewards TEXT NOT NULL,
                            verifier TEXT NOT NULL
                        ) WITHOUT ROWID;
                        """)
            }
            migrator.registerMigration("evidence-1") { database in
                try database.execute(
                    sql: """
                        CREATE TABLE evidence (
                            sequence INTEGER PRIMARY KEY, hash BLOB NOT NULL, check_name TEXT NOT NULL,
                            reason TEXT NOT NULL, payload BLOB NOT NULL, signature BLOB NOT NULL, report BLOB NOT NULL,
                            verifier TEXT NOT NULL
                        );
                        """)
            }
            migrator.registerMigration("scores-1") { database in
                try database.execute(
                    sql: """
                        CREATE TABLE scores (hash BLOB NOT NULL PRIMARY KEY, rewards TEXT NOT NULL) WITHOUT ROWID;
                        """)
            }
            migrator.registerMigration("evidence-2") { database in
                try database.execute(sql: "ALTER TABLE evidence ADD COLUMN bundle BLOB")
            }
            migrator.registerMigration("accusations-1") { database in
                try database.execute(
                    sql: """
                        CREATE TABLE accusations (
                            hash BLOB NOT NULL PRIMARY KEY, check_name TEXT NOT NULL, reason TEXT NOT NULL,
                            severity TEXT NOT NULL, report BLOB NOT NULL, verifier TEXT NOT NULL, bundle BLOB
                        ) WITHOUT ROWID;
                        """)
            }
            Self.registerMargins(&migrator)
            Self.registerBasis(&migrator)
            Self.registerSnapshots(&migrator)
            Ledger.migrate(&migrator)
            try migrator.migrate(pool)
            try pool.write { database in
                if let known = try Data.fetchOne(database, sql: "SELECT id FROM run") {
                    guard [UInt8](known) == run.bytes else {
                        throw RoleFailure(
                            .badInput, "\(path) belongs to run \(Hexadecimal.encode(known)).",
                            advice: "Choose another run directory, or start over with --clean.")
                    }
                } else {
                    try database.execute(sql: "INSERT INTO run (id) VALUES (?)", arguments: [Data(run.bytes)])
                }
                try Ledger.begin(run: run, in: database)
            }
        } catch let failure as RoleFailure {
            throw failure
        } catch let error as DatabaseError {
            throw RoleFailure(
                .fault, "The run's database \(path) cannot be opened: \(error.message ?? "\(error)").",
                advice: "Check the disk's free space and the file's permissions.")
        }
    }

    /// Writes one turn and syncs it.
    func commit(_ turn: Turn) throws {
        guard !turn.isEmpty else { return }
        do {
            try pool.writeWithoutTransaction { database in
                try database.inTransaction(.immediate) {
                    for group in turn.groups {
                        try database.execute(
                            sql: "INSERT OR IGNORE INTO groups (hash, payload, signature) VALUES (?, ?, ?)",
                            arguments: [Data(group.hash.bytes), Data(group.payload), Data(group.signature)])
                    }
                    for replay in turn.replays {
                        try database.execute(
                            sql: "INSERT OR REPLACE INTO replays (hash, report, rewards, verifier) VALUES (?, ?, ?, ?)",
                            arguments: [
                                Data(replay.hash.bytes), Data(replay.report), Self.text(replay.rewards),
                                replay.verifier,
                            ])
                    }
                    for score in turn.scores {
                        try database.execute(
                            sql: "INSERT OR REPLACE INTO scores (hash, rewards) VALUES (?, ?)",
                            arguments: [Data(score.hash.bytes), Self.text(score.rewards)])
                    }
                    for fact in turn.facts {
                        try database.execute(
                            sql: "INSERT INTO facts (body) VALUES (?)", arguments: [Data(fact.encoded())])
                    }
                    for settlement in turn.settlements { try settlement.enter(in: database) }
                    for accusation in turn.accusations { try Self.note(accusation, in: database) }
                    for evidence in turn.evidence { try Self.keep(evidence, in: database) }
                    for stored in turn.margins { try Self.keep(stored, in: database) }
                    for hash in turn.forgotten {
                        let key = Data(hash.bytes)
                        try database.execute(sql: "DELETE FROM groups WHERE hash = ?", arguments: [key])
                        try database.execute(sql: "DELETE FROM replays WHERE hash = ?", arguments: [key])
                        try database.execute(sql: "DELETE FROM scores WHERE hash = ?", arguments: [key])
                        try database.execute(sql: "DELETE FROM accusations WHERE hash = ?", arguments: [key])
                    }
                    return .commit
                }
            }
        } catch let error as DatabaseError {
            throw RoleFailure(
                .fault,
                "The run's database could not be written: \(error.message ?? "\(error)"). Nothing was acknowledged.",
                advice: error.resultCode == .SQLITE_FULL
                    ? "Free some disk space, then start again with --resume." : "Start again with --resume.")
        }
    }

    /// Copies a rejected group beside the report that speaks against it, before the group itself is forgotten.
    private static func keep(_ evidence: StoredEvidence, in database: Database) throws {
        let source =
            evidence.isJournaled
            ? "SELECT ?, ?, payload, signature, ?, ?, ?, hash FROM groups WHERE hash = ?"
            : "VALUES (?, ?, x'', x'', ?, ?, ?, ?)"
        try database.execute(
            sql: "INSERT INTO evidence (check_name, reason, payload, signature, report, verifier, bundle, hash) "
                + source,
            arguments: [
                evidence.finding.check, evidence.finding.reason, Data(evidence.report), evidence.verifier,
                evidence.bundle.map { Data($0) }, Data(evidence.hash.bytes),
            ])
        try database.execute(
            sql: "DELETE FROM evidence WHERE sequence <= (SELECT MAX(sequence) FROM evidence) - ?",
            arguments: [StoredEvidence.kept])
        // A stranger's key costs nothing under open admission, and its last payload may be as large as a frame.
        try database.execute(
            sql: """
                DELETE FROM evidence WHERE sequence IN (
                    SELECT sequence FROM (
                        SELECT sequence, SUM(COALESCE(LENGTH(bundle), 0)) OVER (ORDER BY sequence DESC) AS bytes
                        FROM evidence
                    ) WHERE bytes > ?
                )
                """,
            arguments: [StoredEvidence.keptBytes])
    }

    /// Keeps a finding against a group until it is decided whether it stands.
    private static func note(_ accusation: StoredEvidence, in database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO accusations (hash, check_name, reason, severity, report, verifier, bundle)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                Data(accusation.hash.bytes), accusation.finding.check, accusation.finding.reason,
                accusation.finding.severity.rawValue, Data(accusation.report), accusation.verifier,
                accusation.bundle.map { Data($0) },
            ])
    }

    /// The newest finding against a group that is not decided yet.
    func accusation(_ hash: Hash256) throws -> StoredEvidence? {
        try pool.read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM accusations WHERE hash = ?", arguments: [Data(hash.bytes)]
            ).map { row in
                StoredEvidence(
                    hash: hash,
                    finding: Finding(
                        check: row["check_name"], reason: row["reason"],
                        severity: Severity(rawValue: row["severity"]) ?? .soft),
                    report: [UInt8](row["report"] as Data), verifier: row["verifier"],
                    bundle: (row["bundle"] as Data?).map { [UInt8]($0) })
            }
        }
    }

    /// A journaled group, or nil when it is not needed any more.
    func group(_ hash: Hash256) throws -> StoredGroup? {
        try pool.read { database in
            try Row.fetchOne(
                database, sql: "SELECT payload, signature FROM groups WHERE hash = ?", arguments: [Data(hash.bytes)]
            ).map { row in
                StoredGroup(
                    hash: hash, payload: [UInt8](row["payload"] as Data), signature: [UInt8](row["signature"] as Data))
            }
        }
    }

    /// How long a journaled group's payload is, without reading it.
    func payloadBytes(_ hash: Hash256) throws -> Int? {
        try pool.read { database in
            try Int.fetchOne(
                database, sql: "SELECT length(payload) FROM groups WHERE hash = ?", arguments: [Data(hash.bytes)])
        }
    }

    /// The replay of an accepted group.
    func replay(_ hash: Hash256) throws -> StoredReplay? {
        try pool.read { database in
            try Row.fetchOne(
                database, sql: "SELECT report, rewards, verifier FROM replays WHERE hash = ?",
                arguments: [Data(hash.bytes)]
            ).map { row in
                StoredReplay(
                    hash: hash, report: [UInt8](row["report"] as Data),
                    rewards: Self.rewards(row["rewards"]),
                    verifier: row["verifier"])
            }
        }
    }

    /// The rewards of a group that was not audited.
    func score(_ hash: Hash256) throws -> [Float]? {
        try pool.read { database in
            try String.fetchOne(
                database, sql: "SELECT rewards FROM scores WHERE hash = ?", arguments: [Data(hash.bytes)]
            ).map(Self.rewards)
        }
    }

    private static func text(_ rewards: [Float]) -> String { rewards.map { "\($0)" }.joined(separator: " ") }

    private static func rewards(_ text: String) -> [Float] { text.split(separator: " ").compactMap { Float($0) } }

    /// A worker's balance in FLOPs, stake apart.
    func balance(of worker: PublicKey) throws -> Int64 {
        try pool.read { try Ledger.balance(of: .worker(worker), in: $0) }
    }

    /// Every balance.
    func balances() throws -> [Account: Int64] {
        try pool.read { try Ledger.balances(in: $0) }
    }
}
