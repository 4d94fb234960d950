import Foundation
import Fuzzing
import GRDB
import Identity
import Logging
import Synchronization
import Testing

@testable import Orchestration
@testable import Roles

@Suite("Snapshots in a run's database")
struct SnapshotTests {
    /// What all facts amount to, without any snapshot.
    private func replayed(_ database: RunDatabase) throws -> DurableState {
        var state = DurableState()
        try database.forEachFact { try state.apply($0) }
        return state
    }

    private func change(_ database: RunDatabase, _ sql: String) throws {
        try database.pool.write { try $0.execute(sql: sql) }
    }

    private func count(_ database: RunDatabase, _ table: String) throws -> Int {
        try database.pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? -1 }
    }

    @Test("A run goes on from a snapshot and the facts after it, and reads no other fact")
    func restart() async throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        for _ in 0..<5 {
            try journaled.make(steps: 3)
            let covered = journaled.run.state.factCount
            try await journaled.database.keep(snapshotOf: journaled.run.state)
            try journaled.make(steps: 2)
            let end = journaled.run.state
            let restored = try journaled.restart()
            #expect(restored.snapshot == covered && restored.refused.isEmpty)
            #expect(restored.state == end && restored.state.factCount > covered)
            #expect(try replayed(journaled.database) == journaled.run.state)
        }
        try change(journaled.database, "UPDATE facts SET body = x'00' WHERE sequence = 1")
        #expect(try journaled.database.restore().state == journaled.run.state)
        try change(journaled.database, "DELETE FROM snapshots")
        #expect(throws: FactCodingError.self) { try journaled.database.restore() }
    }

    /// What may happen to the newest snapshot, and a word of what is said about it.
    private static let damages = [
        ("UPDATE snapshots SET format = '3/0.1.0' WHERE id = 2", "format"),
        ("UPDATE snapshots SET sha256 = zeroblob(32) WHERE id = 2", "SHA-256"),
        ("UPDATE snapshots SET sha256 = 5 WHERE id = 2", "5"),
        ("UPDATE snapshots SET facts = 'many' WHERE id = 2", "many"),
        ("UPDATE snapshots SET fact = zeroblob(32) WHERE id = 2", "no fact"),
        ("UPDATE snapshots SET facts = facts + 100000 WHERE id = 2", "no fact"),
        ("DELETE FROM facts WHERE sequence >= (SELECT facts FROM snapshots WHERE id = 2)", "no fact"),
        (
            """
            UPDATE snapshots SET facts = (SELECT facts FROM snapshots WHERE id = 1),
            fact = (SELECT fact FROM snapshots WHERE id = 1) WHERE id = 2
            """, "covers"
        ),
        ("DELETE FROM snapshotPieces WHERE id = (SELECT MAX(id) FROM snapshotPieces)", "SHA-256"),
        ("DELETE FROM snapshotPieces WHERE snapshot = 2", "SHA-256"),
        (
            "UPDATE snapshotPieces SET body = replace(body, '\"nextLease\":', '\"nextLeash\":') WHERE snapshot = 2",
            "damaged"
        ),
        (
            "UPDATE snapshotPieces SET body = replace(body, '\"doneStep\":', '\"doneStep\":1') WHERE snapshot = 2",
            "SHA-256"
        ),
        ("UPDATE snapshotPieces SET body = x'ff00' WHERE snapshot = 2", "damaged"),
    ]

    @Test(
        "A damaged, foreign or mismatching snapshot is refused, and the one before it or the journal used",
        arguments: damages)
    func damage(_ sql: String, _ reason: String) async throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        try journaled.make(steps: 5)
        let database = journaled.database
        try await database.keep(snapshotOf: journaled.run.state)
        let first = journaled.run.state.factCount
        try journaled.make(steps: 2)
        try await database.keep(snapshotOf: journaled.run.state)
        try journaled.make(steps: 1)
        #expect(try database.restore().refused.isEmpty)
        try change(database, sql)
        let restored = try database.restore()
        #expect(restored.state == (try replayed(database)))
        #expect(restored.snapshot == first && restored.refused.map(\.id) == [2])
        #expect(restored.refused.first?.reason.contains(reason) ?? false, "\(restored.refused)")
        // The journal alone is left.
        try change(database, "UPDATE snapshots SET format = 'other'")
        let whole = try database.restore()
        #expect(whole.state == restored.state && whole.snapshot == nil && whole.refused.count == 2)
        try database.discardSnapshots(whole.refused.map(\.id))
        #expect(try count(database, "snapshots") == 0)
    }

    @Test("A snapshot that the facts after it do not fit makes itself unusable, not the run")
    func misfit() async throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        try journaled.make(steps: 3)
        var wrong = journaled.run.state
        wrong.nextLease += 5
        try await journaled.database.keep(snapshotOf: wrong)
        #expect(try journaled.database.restore().state == wrong)
        try journaled.make(steps: 1)
        let restored = try journaled.database.restore()
        #expect(restored.state == journaled.run.state && restored.snapshot == nil)
        #expect(restored.refused.first?.reason.contains("does not fit") ?? false, "\(restored.refused)")
    }

    @Test("Two snapshots are kept, and nothing of unfinished or older ones")
    func bounded() async throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        for round in 1...5 {
            try journaled.make(steps: 1)
            // What a killed process leaves.
            try change(journaled.database, "INSERT INTO snapshotPieces (snapshot, body) VALUES (99, x'00')")
            try change(
                journaled.database,
                """
                INSERT INTO snapshotPieces (snapshot, body)
                VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM snapshots), x'00')
                """)
            try await journaled.database.keep(snapshotOf: journaled.run.state)
            #expect(try count(journaled.database, "snapshots") == min(round, 2))
            let pieces = try count(journaled.database, "snapshotPieces")
            #expect(pieces <= 2 * 8 && pieces >= 2)
            #expect(try journaled.database.restore().snapshot == journaled.run.state.factCount)
        }
    }

    @Test("A database of a version without snapshots gets the tables, and the whole journal is read")
    func migration() throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        try journaled.make(steps: 2)
        for sql in [
            "DROP TABLE snapshots", "DROP TABLE snapshotPieces",
            "DELETE FROM grdb_migrations WHERE identifier = 'snapshots-1'",
        ] { try change(journaled.database, sql) }
        let end = journaled.run.state
        let restored = try journaled.restart()
        #expect(restored.state == end && restored.snapshot == nil && restored.refused.isEmpty)
        #expect(try count(journaled.database, "snapshots") == 0)
    }

    @Test("Snapshots are written when they are due, beside the turns; one that fails is logged and the run goes on")
    func desk() async throws {
        let lines = Mutex<[String]>([])
        let log = Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } }
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        let database = journaled.database
        let desk = SnapshotDesk(database: database, restored: try database.restore(), log: log) { _ in 100 }
        desk.offer(journaled.run.state)
        await desk.finish()
        #expect(try count(database, "snapshots") == 0)
        var kept: [UInt64] = []
        for _ in 0..<20 {
            try journaled.make(steps: 1)
            desk.offer(journaled.run.state)
            await desk.finish()
            let newest = try database.restore().snapshot
            if let newest, newest != kept.last { kept.append(newest) }
        }
        #expect(kept.count >= 3 && zip(kept, kept.dropFirst()).allSatisfy { $0 + 100 <= $1 })
        #expect(lines.withLock { $0 }.isEmpty)
        try change(database, "DROP TABLE snapshotPieces")
        try journaled.make(steps: 5)
        desk.offer(journaled.run.state)
        await desk.finish()
        #expect(lines.withLock { $0 }.count == 1)
        try journaled.make(steps: 1)
        #expect(try database.restore().state == journaled.run.state)
        await desk.stop()
    }

    @Test("Bytes that are nearly a snapshot give a state or an error")
    func hostile() async throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        try journaled.make(steps: 2)
        var pieces: [[UInt8]] = []
        var rest = SnapshotPieces(journaled.run.state)
        while let piece = try rest.next() { pieces.append(piece) }
        await Fuzz.run(atLeast: 200) { seed in
            var generator = FuzzGenerator(seed: seed)
            var damaged = pieces
            let index = Int.random(in: damaged.indices, using: &generator)
            damaged[index] = Mutation.mutate(
                [damaged[index]], words: ["18446744073709551616", "-1", "null", "1e400", "\"slots\":"],
                using: &generator)
            var assembly = SnapshotAssembly()
            do {
                for piece in damaged { try assembly.take(piece) }
                _ = try assembly.finish()
            } catch {
                #expect(!"\(error)".isEmpty)
            }
        }
    }

    @Test("Published versions are counted without decoding the journal")
    func versions() throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        try journaled.make(steps: 6)
        var published = 0
        try journaled.database.forEachFact { if case .versionPublished = $0 { published += 1 } }
        #expect(try journaled.database.publishedVersions() == published && published == 7)
    }

    @Test("Draws are re-checked from the file as from the facts")
    func draws() throws {
        var journaled = try JournaledRun()
        defer { journaled.remove() }
        try journaled.make(steps: 1)
        var turn = RunDatabase.Turn()
        turn.facts = [
            .epochBegan(epoch: 0, commitment: AuditDraw.commitment(to: .zero), next: .zero),
            .auditDrawn(group: .zero, epoch: 0, probability: 1_000_000, isDrawn: false),
            .epochRevealed(epoch: 0, secret: .zero),
            .auditDrawn(group: .zero, epoch: 1, probability: 5, isDrawn: false),
        ]
        try journaled.database.commit(turn)
        let review = try DrawReview(path: journaled.path)
        #expect(review.checked == 1 && review.open == 1 && review.violations.count == 1)
    }
}
