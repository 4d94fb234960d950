import SwiftProtobuf

/// The purposes that Apus signs for; a signature made for one is worth nothing for another.
///
/// What is signed is always `utf8(purpose) ‖ 0 ‖ content`, which Identity's `sign(domain:)` does.
public enum SignatureDomain {
    /// Binds a connection's CURVE key to an identity: ``SignedContent/hello(runID:curveKey:)``.
    public static let hello = "apus/hello/v1"
    /// A worker's group; the content is frame 1 as it was sent.
    public static let group = "apus/group/v1"
    /// The orchestrator has journaled a group: ``SignedContent/receipt(runID:groupHash:workerKey:leaseID:)``.
    public static let receipt = "apus/receipt/v1"
    /// A verifier's replay: ``SignedContent/audit(auditID:groupID:samplesHash:)``.
    public static let audit = "apus/audit/v1"
}

/// The bytes behind each kind of signature.
public enum SignedContent {
    /// `run_id ‖ CURVE public key`.
    public static func hello(runID: [UInt8], curveKey: [UInt8]) -> [UInt8] {
        runID + curveKey
    }

    /// `run_id ‖ group_hash ‖ worker_key ‖ u64le lease_id`.
    public static func receipt(runID: [UInt8], groupHash: [UInt8], workerKey: [UInt8], leaseID: UInt64) -> [UInt8] {
        runID + groupHash + workerKey + littleEndian(leaseID)
    }

    /// `u64le audit_id ‖ group_id ‖ SHA-256 of` ``auditSamples(_:)``.
    public static func audit(auditID: UInt64, groupID: [UInt8], samplesHash: [UInt8]) -> [UInt8] {
        littleEndian(auditID) + groupID + samplesHash
    }

    /// The deterministic bytes of a replay: an `AuditReport` that holds nothing but these samples.
    public static func auditSamples(_ samples: [Wire.ReplayedSample]) -> [UInt8] {
        var report = Wire.AuditReport()
        report.samples = samples
        return encoded(report)
    }

    private static func littleEndian(_ value: UInt64) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
    }
}

/// The bytes of a message, the same ones on every machine and in every run.
func encoded(_ message: some Message) -> [UInt8] {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    do {
        return try message.serializedBytes(options: options)
    } catch {
        // Only proto2's required fields, foreign `Any` values and 2 GiB of content can fail, and the schema and the
        // limits exclude all three.
        preconditionFailure("A message of this schema cannot be encoded: \(error)")
    }
}
