import GRDB

/// The ledger's tables.
///
/// Migrations that were ever released are frozen: change the schema by adding one.
enum LedgerSchema {
    static func register(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("ledger-1") { db in
            try db.execute(sql: first)
        }
    }

    /// The first migration.
    ///
    /// `ledgerBalance` and `ledgerHead` repeat what the entries say, so that balances are cheap
    /// and a missing tail shows.
    static let first = """
        CREATE TABLE ledgerEntry (
            id INTEGER PRIMARY KEY,
            reference TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            note TEXT NOT NULL,
            time INTEGER NOT NULL,
            previousHash BLOB NOT NULL,
            hash BLOB NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE ledgerPosting (
            entry INTEGER NOT NULL REFERENCES ledgerEntry(id),
            position INTEGER NOT NULL,
            account TEXT NOT NULL,
            amount INTEGER NOT NULL,
            PRIMARY KEY (entry, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX ledgerPostingByAccount ON ledgerPosting(account, entry);
        CREATE TABLE ledgerBalance (
            account TEXT PRIMARY KEY,
            balance INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE ledgerHead (
            id INTEGER PRIMARY KEY CHECK (id = 0),
            entries INTEGER NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        CREATE TRIGGER ledgerEntryNoUpdate BEFORE UPDATE ON ledgerEntry
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
        CREATE TRIGGER ledgerEntryNoDelete BEFORE DELETE ON ledgerEntry
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
        CREATE TRIGGER ledgerPostingNoUpdate BEFORE UPDATE ON ledgerPosting
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
        CREATE TRIGGER ledgerPostingNoDelete BEFORE DELETE ON ledgerPosting
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
        """
}
