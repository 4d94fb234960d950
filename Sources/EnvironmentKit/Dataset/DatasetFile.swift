import Identity

/// A dataset in memory: every row of a JSONL file, checked, and the hash of its bytes.
public struct DatasetFile: Sendable {
    /// The rows in the order of the file.
    public let rows: [DatasetRow]
    /// SHA-256 over every line with its newline; it names the data in the environment's hash.
    public let hash: Hash256

    /// What a file may hold at most.
    public struct Limits: Sendable {
        /// Bytes of one line.
        public var lineBytes = 1 << 24
        /// Rows of the file.
        public var rows = 10_000_000
        /// Bytes of all lines together.
        public var totalBytes = 1 << 32

        /// The usual limits.
        public init() {}
    }

    /// Reads a file; blank lines are skipped, everything else must be a row.
    ///
    /// - Throws: An ``EnvironmentError`` that names `file:line`.
    public init(path: String, limits: Limits = Limits()) throws(EnvironmentError) {
        var reader = try LineReader(path: path, maximumLineBytes: limits.lineBytes)
        var hash = SHA256()
        var rows: [DatasetRow] = []
        var total = 0
        while let line = try reader.next() {
            hash.update(Array(line))
            hash.update([0x0A])
            total += line.count + 1
            guard total <= limits.totalBytes, rows.count < limits.rows else {
                throw EnvironmentError(
                    .dataset, at: "\(path):\(reader.line)",
                    "the dataset has more than \(limits.rows) rows or \(limits.totalBytes) bytes; split it")
            }
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            rows.append(try DatasetRow(parsing: line, path: path, line: reader.line))
        }
        guard !rows.isEmpty else { throw EnvironmentError(.dataset, at: path, "the dataset has no rows") }
        self.rows = rows
        self.hash = hash.finalize()
    }
}
