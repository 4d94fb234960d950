import Foundation
import GRDB
import Identity
import Testing

@testable import Ledger

@Suite("Ledger")
struct LedgerTests {
    static let keys: [PublicKey] = (1...3).compactMap { SigningKey(seed: [UInt8](repeating: $0, count: 32))?.publicKey }
    let worker = LedgerTests.keys[0]
    let verifier = LedgerTests.keys[1]
    let run = SHA256.hash([1])

    private func database() throws -> DatabaseQueue {
        let queue = try DatabaseQueue()
        try prepare(queue)
        return queue
    }

    private func prepare(_ queue: DatabaseQueue) throws {
        var migrator = DatabaseMigrator()
        Ledger.migrate(&migrator)
        try migrator.migrate(queue)
        try queue.write { try Ledger.begin(run: run, in: $0) }
    }

    @Test("Credits, charges and slashes add up, and everything sums to zero")
    func movements() throws {
        try database().write { db in
            try Ledger.earn(worker, 1_000, withheld: 100, reference: "earned/1", in: db)
            try Ledger.creditAudit(verifier, 40, reference: "audited/1", in: db)
            try Ledger.grantStake(worker, 500, reference: "staked/1", in: db)
            try Ledger.charge(worker, atMost: 300, reference: "charged/1", in: db)
            #expect(try Ledger.balance(of: .worker(worker), in: db) == 600)
            try Ledger.charge(worker, atMost: 9_999, reference: "charged/2", in: db)
            try Ledger.burnStake(of: worker, reference: "slashed/1", in: db)
            let report = try Ledger.verify(in: db)
            #expect(
                report.balances == [
                    .issuance: -1_540, .burned: 1_500, .worker(worker): 0, .verifier(verifier): 40, .stake(worker): 0,
                ])
            #expect(report.issued == 1_540 && report.burned == 1_500 && report.entries == 7 && report.run == run)
        }
    }

    @Test(
        "Promised credit vests or burns; a fine leaves the stake; a refund gives back what was taken, promises as promises"
    )
    func promises() throws {
        try database().write { db in
            try Ledger.promise(worker, 1_000, reference: "promised/1", in: db)
            try Ledger.promise(worker, 500, reference: "promised/2", in: db)
            try Ledger.vest(worker, 1_000, withheld: 100, reference: "vested/1", in: db)
            try Ledger.forfeit(worker, 500, reference: "forfeited/3", in: db)
            try Ledger.fine(worker, atMost: 300, reference: "fined/3", in: db)
            #expect(try Ledger.fine(worker, atMost: 300, reference: "fined/3", in: db) == .known)
            try Ledger.charge(worker, atMost: 50, reference: "charged/3", in: db)
            #expect(try Ledger.balance(of: .worker(worker), in: db) == 550)
            #expect(try Ledger.balance(of: .stake(worker), in: db) == 100)
            #expect(try Ledger.balance(of: .burned, in: db) == 850)
            let taken = ["charged/3", "fined/3", "nothing/3"]
            for outcome in [Ledger.Outcome.appended, .known] {
                let found = try Ledger.refund(
                    worker, entries: taken, promised: 400, burnedBy: "forfeited/3", reference: "refunded/3", in: db)
                #expect(found == outcome)
            }
            #expect(try Ledger.balance(of: .worker(worker), in: db) == 900)
            #expect(try Ledger.balance(of: .unvested(worker), in: db) == 400)
            // Never more than burned, and nothing where nothing burned.
            try Ledger.forfeit(worker, 400, reference: "forfeited/5", in: db)
            try Ledger.refund(
                worker, entries: [], promised: 10_000, burnedBy: "forfeited/5", reference: "refunded/5", in: db)
            try Ledger.refund(
                worker, entries: [], promised: 7, burnedBy: "forfeited/6", reference: "refunded/6", in: db)
            #expect(try Ledger.balance(of: .unvested(worker), in: db) == 400)
            try Ledger.revoke(worker, atMost: 10_000, reference: "revoked/1", in: db)
            let report = try Ledger.verify(in: db)
            #expect(
                report.balances == [
                    .issuance: -1_500, .burned: 1_000, .worker(worker): 0, .stake(worker): 100, .unvested(worker): 400,
                ])
            #expect(throws: LedgerError.self) { try Ledger.forfeit(worker, 401, reference: "forfeited/4", in: db) }
        }
        #expect(Account(text: Account.unvested(worker).text) == .unvested(worker))
    }

    @Test("An entry appended twice changes nothing; another entry of the same name is refused")
    func idempotence() throws {
        try database().write { db in
            #expect(try Ledger.earn(worker, 10, withheld: 1, reference: "a", in: db) == .appended)
            let head = try #require(try Ledger.head(in: db))
            #expect(try Ledger.earn(worker, 10, withheld: 1, reference: "a", in: db) == .known)
            try Ledger.charge(worker, atMost: 5, reference: "b", in: db)
            #expect(try Ledger.charge(worker, atMost: 5, reference: "b", in: db) == .known)
            #expect(try Ledger.burnStake(of: worker, reference: "c", in: db) == .appended)
            #expect(try Ledger.burnStake(of: worker, reference: "c", in: db) == .known)
            #expect(try Ledger.balance(of: .worker(worker), in: db) == 4)
            #expect(head.entries == 2)
            #expect(throws: LedgerError.conflict(reference: "a")) {
                try Ledger.earn(worker, 11, withheld: 1, reference: "a", in: db)
            }
        }
    }

    @Test("Nothing to charge is entered too, so that it stays nothing")
    func emptyCharge() throws {
        try database().write { db in
            #expect(try Ledger.charge(worker, atMost: 5, reference: "b", in: db) == .appended)
            try Ledger.earn(worker, 10, withheld: 0, reference: "a", in: db)
            #expect(try Ledger.charge(worker, atMost: 5, reference: "b", in: db) == .known)
            #expect(try Ledger.balance(of: .worker(worker), in: db) == 10)
        }
    }

    @Test("Entries that break double entry are refused", arguments: 0..<7)
    func refusals(index: Int) throws {
        let postings: [[Entry.Posting]] = [
            [Entry.Posting(.worker(worker), 1)],
            [Entry.Posting(.worker(worker), -1), Entry.Posting(.burned, 1)],
            [Entry.Posting(.issuance, 0)],
            [Entry.Posting(.issuance, .min), Entry.Posting(.worker(worker), .max)],
            [Entry.Posting(.issuance, -1), Entry.Posting(.issuance, .min), Entry.Posting(.burned, .max)],
            Array(repeating: Entry.Posting(.issuance, -1), count: 65),
            [Entry.Posting(.burned, -1), Entry.Posting(.issuance, 1)],
        ]
        let queue = try database()
        #expect(throws: LedgerError.self) {
            try queue.write {
                try Ledger.append(Entry(reference: "x", kind: .earned, postings: postings[index]), in: $0)
            }
        }
        #expect(try queue.read { try Ledger.verify(in: $0) }.entries == 1)
    }

    @Test("Overlong and empty references, a second genesis, and no genesis are refused")
    func texts() throws {
        let queue = try database()
        let entries = [
            Entry(reference: "", kind: .earned, postings: []),
            Entry(reference: String(repeating: "x", count: 1_025), kind: .earned, postings: []),
            Entry(reference: "x", kind: .earned, postings: [], note: String(repeating: "x", count: 1_025)),
            Entry(reference: "x", kind: .genesis, postings: []),
        ]
        for entry in entries {
            #expect(throws: LedgerError.self) { try queue.write { try Ledger.append(entry, in: $0) } }
        }
        let empty = try DatabaseQueue()
        var migrator = DatabaseMigrator()
        Ledger.migrate(&migrator)
        try migrator.migrate(empty)
        #expect(throws: LedgerError.notBegun) {
            try empty.write { try Ledger.earn(worker, 1, withheld: 0, reference: "a", in: $0) }
        }
        #expect(throws: LedgerError.notBegun) { try empty.read { try Ledger.verify(in: $0) } }
    }

    @Test("The genesis binds the run")
    func anotherRun() throws {
        let queue = try database()
        try queue.write { try Ledger.begin(run: run, in: $0) }
        #expect(throws: LedgerError.anotherRun(expected: Hash256.zero.hex, found: run.hex)) {
            try queue.write { try Ledger.begin(run: .zero, in: $0) }
        }
    }

    @Test("A failed transaction leaves no trace")
    func rollback() throws {
        struct Failure: Error {}
        let queue = try database()
        #expect(throws: Failure.self) {
            try queue.write { db in
                try Ledger.earn(worker, 1, withheld: 0, reference: "a", in: db)
                throw Failure()
            }
        }
        #expect(try queue.read { try Ledger.verify(in: $0) }.balances.isEmpty)
    }

    @Test("Account names are read back, and nothing else is")
    func accountNames() {
        for account in [Account.issuance, .burned, .worker(worker), .verifier(verifier), .stake(worker)] {
            #expect(Account(text: account.text) == account)
        }
        for text in [
            "", "worker", "worker:", "worker:12", "bank:\(worker.hex)", "worker:\(worker.hex.uppercased())",
            "issuance:",
        ] {
            #expect(Account(text: text) == nil)
        }
    }

    @Test("The newest entries come newest first")
    func newest() throws {
        try database().write { db in
            for index in 1...5 { try Ledger.earn(worker, 1, withheld: 0, reference: "\(index)", in: db) }
            #expect(try Ledger.newestEntries(2, in: db).map(\.reference) == ["5", "4"])
            #expect(try Ledger.newestEntries(-1, in: db).isEmpty)
        }
    }

    @Test("The hash of an entry and the first migration never change")
    func frozen() {
        let entry = Entry(
            reference: "earned/1", kind: .earned,
            postings: [Entry.Posting(.issuance, -5), Entry.Posting(.worker(worker), 5)], note: "n", time: 7)
        #expect(entry.hash(index: 3, previous: .zero).hex == Self.frozenEntryHash)
        #expect(SHA256.hash(Array(LedgerSchema.first.utf8)).hex == Self.frozenSchemaHash)
    }

    static let frozenEntryHash = "dcae0a358f619799df85db3df2fa7d06a920dd440ec32d70a1425f091f9ff7f5"
    static let frozenSchemaHash = "376f50f0a2ae5f8d27d9da8757f0a078f0fed47b883459f2ffaca68c93f2dea0"
}
