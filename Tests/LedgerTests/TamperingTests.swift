import Foundation
import GRDB
import Identity
import Testing

@testable import Ledger

@Suite("A ledger that was changed")
struct TamperingTests {
    let worker = LedgerTests.keys[0]
    let other = LedgerTests.keys[1]

    /// Writes a ledger to a file, lets `damage` change the file behind the ledger's back, and verifies it.
    private func verify(after damage: String) throws -> LedgerReport {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("run.sqlite").path
        do {
            let queue = try DatabaseQueue(path: path, configuration: Ledger.durableConfiguration())
            var migrator = DatabaseMigrator()
            Ledger.migrate(&migrator)
            try migrator.migrate(queue)
            try queue.write { db in
                #expect(try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal")
                #expect(try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2)
                try Ledger.begin(run: SHA256.hash([9]), in: db)
                for index in 1...6 {
                    try Ledger.earn(worker, Int64(index) * 10, withheld: 1, reference: "earned/\(index)", in: db)
                }
                try Ledger.charge(worker, atMost: 5, reference: "charged/1", in: db)
            }
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA foreign_keys = OFF")
                for trigger in ["EntryNoUpdate", "EntryNoDelete", "PostingNoUpdate", "PostingNoDelete"] {
                    try db.execute(sql: "DROP TRIGGER ledger\(trigger)")
                }
                try db.execute(sql: damage)
            }
            try queue.close()
        }
        return try Ledger.verify(path)
    }

    @Test("An untouched file passes")
    func untouched() throws {
        let report = try verify(after: "SELECT 1")
        #expect(report.entries == 8 && report.issued == 210 && report.burned == 5)
        #expect(report.balances.values.reduce(0, +) == 0)
    }

    @Test(
        "Every change of a stored ledger is found",
        arguments: [
            "UPDATE ledgerEntry SET note = 'x' WHERE id = 3",
            "UPDATE ledgerEntry SET time = 1 WHERE id = 3",
            "UPDATE ledgerEntry SET reference = 'earned/9' WHERE id = 3",
            "UPDATE ledgerEntry SET kind = 'audited' WHERE id = 3",
            "UPDATE ledgerEntry SET kind = 'gift' WHERE id = 3",
            "UPDATE ledgerEntry SET note = '00' WHERE id = 0",
            "UPDATE ledgerEntry SET hash = zeroblob(32) WHERE id = 3",
            "UPDATE ledgerEntry SET hash = x'00' WHERE id = 3",
            "UPDATE ledgerEntry SET previousHash = zeroblob(32) WHERE id = 3",
            "UPDATE ledgerPosting SET amount = amount + 1 WHERE entry = 3 AND position = 1",
            "UPDATE ledgerPosting SET amount = amount * 2 WHERE entry = 3",
            "UPDATE ledgerPosting SET account = 'burned' WHERE entry = 3 AND position = 1",
            "UPDATE ledgerPosting SET account = 'nobody' WHERE entry = 3 AND position = 1",
            "UPDATE ledgerPosting SET position = 7 WHERE entry = 3 AND position = 1",
            "DELETE FROM ledgerEntry WHERE id = 3",
            "DELETE FROM ledgerEntry WHERE id = 7",
            "DELETE FROM ledgerEntry WHERE id = 0",
            "DELETE FROM ledgerPosting WHERE entry = 3",
            "DELETE FROM ledgerPosting WHERE entry = 3 AND position = 2",
            "DELETE FROM ledgerEntry",
            "DELETE FROM ledgerHead",
            "UPDATE ledgerHead SET entries = 9",
            "UPDATE ledgerHead SET hash = zeroblob(32)",
            "INSERT INTO ledgerPosting VALUES (3, 3, 'burned', 5)",
            "INSERT INTO ledgerPosting VALUES (99, 0, 'burned', 5)",
            "INSERT INTO ledgerEntry VALUES (8, 'x', 'earned', '', 0, zeroblob(32), zeroblob(32))",
            "INSERT INTO ledgerEntry VALUES (-1, 'x', 'earned', '', 0, zeroblob(32), zeroblob(32))",
            "INSERT INTO ledgerEntry SELECT 8, 'x', kind, note, time, (SELECT hash FROM ledgerEntry WHERE id = 7), randomblob(32) FROM ledgerEntry WHERE id = 3",
            "UPDATE ledgerEntry SET id = -id WHERE id IN (3, 4); UPDATE ledgerEntry SET id = 7 + id WHERE id < 0; UPDATE ledgerPosting SET entry = -entry WHERE entry IN (3, 4); UPDATE ledgerPosting SET entry = 7 + entry WHERE entry < 0",
            "UPDATE ledgerBalance SET balance = balance + 1 WHERE account LIKE 'worker%'",
            "UPDATE ledgerBalance SET balance = balance + 1",
            "DELETE FROM ledgerBalance WHERE account = 'burned'",
            "INSERT INTO ledgerBalance VALUES ('nobody', 0)",
            "DROP TABLE ledgerHead; CREATE TABLE ledgerHead (id, entries, hash); INSERT INTO ledgerHead VALUES (0, 'many', 'x')",
            "DROP TABLE ledgerPosting",
            "DROP TABLE ledgerEntry; CREATE TABLE ledgerEntry (id, reference, kind, note, time, previousHash, hash); INSERT INTO ledgerEntry VALUES (0, x'00', 1, NULL, 'now', 3, 4)",
        ])
    func changed(damage: String) {
        #expect(throws: LedgerError.self) { try verify(after: damage) }
    }

    @Test("The tables themselves refuse changes")
    func triggers() throws {
        let queue = try DatabaseQueue()
        var migrator = DatabaseMigrator()
        Ledger.migrate(&migrator)
        try migrator.migrate(queue)
        try queue.write { db in
            try Ledger.begin(run: .zero, in: db)
            try Ledger.earn(worker, 10, withheld: 1, reference: "a", in: db)
        }
        for change in [
            "UPDATE ledgerEntry SET note = 'x'", "DELETE FROM ledgerEntry", "UPDATE ledgerPosting SET amount = 1",
            "DELETE FROM ledgerPosting",
        ] {
            #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: change) } }
        }
    }

    @Test("A missing file, a folder and a file of something else are refused with a sentence")
    func otherFiles() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        #expect(throws: LedgerError.self) { try Ledger.verify(path) }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: LedgerError.self) { try Ledger.verify("/") }
        try Data("no database at all, but long enough to be looked at".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: LedgerError.self) { try Ledger.verify(path) }
    }
}
