import Foundation
import Identity
import Ledger
import Orchestration
import RunConfiguration

/// What a run amounts to, read back from what it wrote: the journal, the ledger and the metrics.
public struct RunReport: Sendable {
    /// One member's books.
    public struct Member: Sendable {
        /// Its name on this machine, for example `worker-1`.
        public let name: String
        /// Groups accepted; audits, for a verifier.
        public let accepted: UInt64
        /// Groups rejected.
        public let rejected: UInt64
        /// Credit in verified FLOPs.
        public let credit: Int64
        /// Stake in FLOPs.
        public let stake: Int64
        /// The check that cost it its place, if one did.
        public let bannedBy: String?
        /// Groups that came to a verdict in an audit.
        public let audited: UInt64
    }

    /// Optimizer steps made.
    public let steps: UInt64
    /// Versions published.
    public let versions: Int
    /// Groups accepted.
    public let accepted: UInt64
    /// Groups rejected, by check.
    public let rejected: [String: UInt64]
    /// The largest staleness in any batch.
    public let maximumStaleness: UInt64
    /// Workers, in the order of their names.
    public let workers: [Member]
    /// Verifiers, in the order of their names.
    public let verifiers: [Member]
    /// Rows of `metrics.jsonl`.
    public let metrics: [[String: Double]]

    /// Reads a run's directory.
    public init(directory: RunDirectory, runID: Hash256) throws {
        let database = try RunDatabase(path: directory.database, run: runID)
        let state = try database.restore().state
        steps = state.doneStep
        versions = try database.publishedVersions()
        accepted = state.counters.accepted
        rejected = state.counters.rejected
        maximumStaleness = state.counters.maximumStaleness
        let balances = try database.balances()
        let names = Self.names(in: directory)
        workers = state.workers.map { key, record in
            Member(
                name: names[key] ?? String(key.hex.prefix(8)), accepted: record.accepted, rejected: record.rejected,
                credit: balances[.worker(key)] ?? 0, stake: balances[.stake(key)] ?? 0, bannedBy: record.ban?.check,
                audited: record.audited)
        }.sorted { $0.name < $1.name }
        verifiers = state.verifiers.map { key, record in
            Member(
                name: names[key] ?? String(key.hex.prefix(8)), accepted: record.audited, rejected: record.lost,
                credit: balances[.verifier(key)] ?? 0, stake: 0, bannedBy: record.ban?.check, audited: record.audited)
        }.sorted { $0.name < $1.name }
        metrics = Self.rows(of: directory.metrics)
    }

    /// The values of one metric, step by step.
    public func series(_ name: String) -> [(step: Int, value: Double)] {
        metrics.compactMap { row in
            guard let step = row["step"], let value = row[name] else { return nil }
            return (Int(step), value)
        }
    }

    /// The sum of one metric over all steps.
    public func total(_ name: String) -> Double { series(name).reduce(0) { $0 + $1.value } }

    /// Members of this machine have key files, by which their keys get names.
    private static func names(in directory: RunDirectory) -> [PublicKey: String] {
        var names: [PublicKey: String] = [:]
        for file in (try? FileManager.default.contentsOfDirectory(atPath: directory.keys)) ?? []
        where file.hasSuffix(".key") {
            if let keys = try? NodeKeys.load(path: directory.keys + "/" + file) {
                names[keys.signing.publicKey] = String(file.dropLast(4))
            }
        }
        return names
    }

    private static func rows(of path: String) -> [[String: Double]] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            try? JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
        }
    }
}
