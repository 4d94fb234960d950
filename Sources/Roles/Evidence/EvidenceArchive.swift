import Foundation
import GRDB
import Identity
import Ledger
import Messages
import RunConfiguration
import Verification

/// The evidence in a run's database, read without disturbing the run.
public struct EvidenceArchive: Sendable {
    private let path: String

    /// The archive of a run's `orchestrator.sqlite`.
    public init(database path: String) {
        self.path = path
    }

    /// A judged group that can be written to a file.
    public struct Entry: Sendable, Hashable {
        /// SHA-256 of the payload.
        public let group: Hash256
        /// The check that failed; nil for an accepted group.
        public let check: String?
        /// Why, in words; empty for an accepted group.
        public let reason: String
    }

    /// Every group that can be written: the newest rejected ones, and the accepted ones that training may still need.
    ///
    /// - Throws: `LedgerError` where the file cannot be read as a run's database.
    public func entries() throws -> [Entry] {
        try Ledger.read(path) { database in
            let rejected = try Row.fetchAll(
                database,
                sql: "SELECT hash, check_name, reason FROM evidence WHERE bundle IS NOT NULL ORDER BY sequence"
            ).compactMap { row in
                Hash256([UInt8](row["hash"] as Data)).map {
                    Entry(group: $0, check: row["check_name"], reason: row["reason"])
                }
            }
            let accepted = try Data.fetchAll(
                database, sql: "SELECT hash FROM replays JOIN groups USING (hash) ORDER BY hash"
            ).compactMap { data in Hash256([UInt8](data)).map { Entry(group: $0, check: nil, reason: "") } }
            return rejected + accepted
        }
    }

    /// The evidence of the group whose hash begins with these hex digits.
    ///
    /// - Throws: A ``RoleFailure`` where no group or more than one begins so.
    public func bundle(group prefix: String) throws -> EvidenceBundle {
        let wanted = prefix.lowercased()
        let found = Set(try entries().map(\.group).filter { $0.hex.hasPrefix(wanted) })
        guard let group = found.first, found.count == 1 else {
            throw RoleFailure(
                .badInput,
                found.isEmpty
                    ? "\(path) keeps no evidence of a group \(prefix)."
                    : "\(found.count) groups begin with \(prefix).",
                advice: found.isEmpty ? "`apus evidence list` names those that it keeps." : "Give more digits.")
        }
        if let stored = try rejected(group) {
            do throws(EvidenceError) {
                return try EvidenceBundle(parsing: stored)
            } catch {
                throw RoleFailure(.fault, "The evidence of \(group.hex.prefix(12)) in \(path) is damaged: \(error)")
            }
        }
        return try accepted(group)
    }

    private func rejected(_ group: Hash256) throws -> [UInt8]? {
        try Ledger.read(path) { database in
            try Data.fetchOne(
                database,
                sql: "SELECT bundle FROM evidence WHERE hash = ? AND bundle IS NOT NULL ORDER BY sequence DESC",
                arguments: [Data(group.bytes)]
            ).map { [UInt8]($0) }
        }
    }

    /// An accepted group passed every comparison with its lease, so the payload says what was leased; what it was judged
    /// by, the run file beside the database says.
    private func accepted(_ group: Hash256) throws -> EvidenceBundle {
        let row = try Ledger.read(path) { database in
            try Row.fetchOne(
                database,
                sql: "SELECT payload, signature, report, verifier FROM groups JOIN replays USING (hash) WHERE hash = ?",
                arguments: [Data(group.bytes)])
        }
        guard let row, let verifier = PublicKey(hex: row["verifier"] as String) else {
            throw RoleFailure(.badInput, "Group \(group.hex.prefix(12)) is not in \(path) any more.")
        }
        let payload = [UInt8](row["payload"] as Data)
        guard let evidence = GroupEvidence(try Wire.GroupPayload(strict: payload)) else {
            throw RoleFailure(.fault, "The payload of group \(group.hex.prefix(12)) in \(path) is damaged.")
        }
        let directory = RunDirectory((path as NSString).deletingLastPathComponent)
        let file = try RunFile.load(
            files: [directory.runFile], environmentDefaults: EnvironmentRegistry.runFileDefaults)
        let bundle = EvidenceBundle(
            payload: payload, signature: [UInt8](row["signature"] as Data), terms: LeaseTerms(claimedBy: evidence),
            rules: EvidenceRules(
                schemaVersion: evidence.schemaVersion, arithmeticVersion: evidence.arithmeticVersion,
                policy: AuditPolicies(file.audit.policy).policy(for: evidence.engine)),
            finding: .accepted,
            reports: [EvidenceReport(verifier: verifier, bytes: [UInt8](row["report"] as Data))])
        guard let lab = try? NodeKeys.load(path: directory.key("lab")) else { return bundle }
        return bundle.sealed(by: lab.signing)
    }
}
