/// The shapes of what clients send; numbers and names are those of Protos/apus.proto.
extension Shape {
    static let clientMessage = Shape(
        "client message",
        [
            1: .required("schema_version", .number32),
            2: .one("message_id", .number64),
            10: .body("hello", hello),
            11: .body("lease_request", leaseRequest),
            12: .body("lease_progress", leaseProgress),
            13: .body("lease_return", leaseReturn),
            14: .body("group_submission", groupSubmission),
            15: .body("audit_request", auditRequest),
            16: .body("audit_report", auditReport),
            17: .body("audit_fault", auditFault),
            18: .body("batch_request", batchRequest),
            19: .body("batch_done", batchDone),
            20: .body("version_published", versionPublished),
            21: .body("checkpoint_stable", checkpointStable),
            22: .body("heartbeat", heartbeat),
            23: .body("goodbye", goodbye),
        ])

    static let hello = Shape(
        "hello",
        [
            1: .required("role", .integer(atMost: 3)),
            2: .required("identity_key", .key),
            3: .required("curve_key_signature", .signature),
            4: .one("name", .text(.exactly(64))),
            5: .one("arithmetic_version", .number32),
            6: .one("kernel_row", .text(.exactly(32))),
            7: .one("kernel_digest", .hash),
            8: .one("software_version", .text(.exactly(64))),
            9: .one("invite", .text(.name)),
            10: .one("tokens_per_second", .rate),
            11: .one("resume_step", .number64),
            12: .one("instance", .number64),
            13: .one("engine", .text(.exactly(64))),
        ])

    static let leaseRequest = Shape(
        "lease_request",
        [1: .one("groups", .number32), 2: .one("newest_version", .number64)])

    static let leaseProgress = Shape(
        "lease_progress",
        [
            1: .one("lease_ids", .integers(.items, atMost: .max)), 2: .one("tokens_per_second", .rate),
            3: .many("adoptions", .exactly(64), .message(adoption)),
        ])

    static let adoption = Shape(
        "adoptions",
        [
            1: .one("version", .number64), 2: .one("fetch_seconds", .rate), 3: .one("apply_seconds", .rate),
            4: .one("pause_seconds", .rate), 5: .one("revised", .boolean),
        ])

    static let leaseReturn = Shape(
        "lease_return",
        [1: .one("lease_ids", .integers(.items, atMost: .max)), 2: .one("reason", .text(.text))])

    static let groupSubmission = Shape(
        "group_submission",
        [1: .one("lease_id", .number64), 2: .required("signature", .signature), 3: .one("seconds", .rate)])

    static let groupPayload = Shape(
        "group",
        [
            1: .required("schema_version", .number32),
            2: .one("arithmetic_version", .number32),
            3: .required("run_id", .hash),
            4: .one("lease_id", .number64),
            5: .required("group_id", .hash),
            6: .one("attempt", .number32),
            7: .required("worker_key", .key),
            8: .one("policy_version", .number64),
            9: .required("weights_hash", .hash),
            10: .one("environment_id", .text(.name)),
            11: .one("environment_hash", .hash),
            12: .one("prompt_tokens", .tokens),
            13: .required("sampling", .message(samplingParameters)),
            14: .many("samples", .samples, .message(sample)),
            15: .one("engine", .text(.exactly(64))),
        ])

    static let sample = Shape(
        "samples",
        [
            1: .one("tokens", .tokens),
            2: .required("finish_reason", .integer(atMost: 2)),
            3: .one("log_probabilities", .floats(.tokens)),
            4: .many("commitments", .chunks, .hash),
            5: .many("toploc_proofs", .chunks, .blob(.proof)),
        ])

    static let auditRequest = Shape("audit_request", [1: .one("groups", .number32)])

    static let auditReport = Shape(
        "audit_report",
        [
            1: .one("audit_id", .number64),
            2: .many("samples", .samples, .message(replayedSample)),
            3: .one("seconds", .rate),
            4: .required("signature", .signature),
        ])

    static let replayedSample = Shape(
        "samples",
        [
            1: .many("commitments", .chunks, .hash),
            2: .one("log_probabilities", .floats(.tokens)),
            3: .one("replayed_tokens", .tokens),
            4: .many("top_rows", .chunks, .message(topRows)),
            5: .one("margins", .floats(.tokens)),
        ])

    static let topRows = Shape(
        "top_rows",
        [
            1: .one("indices", .integers(.exactly(4096), atMost: UInt64(UInt32.max))),
            2: .one("bits", .integers(.exactly(4096), atMost: 0xffff)),
        ])

    static let auditFault = Shape(
        "audit_fault",
        [1: .one("audit_ids", .integers(.items, atMost: .max)), 2: .one("reason", .text(.text))])

    static let batchRequest = Shape(
        "batch_request", [1: .one("step", .number64), 2: .one("part", .number32)])

    static let batchDone = Shape(
        "batch_done",
        [
            1: .one("step", .number64), 2: .many("metrics", .items, .message(metric)),
            3: .many("doubted_groups", .items, .hash),
            4: .many("unavailable_groups", .items, .message(unavailableGroup)),
        ])

    static let unavailableGroup = Shape(
        "unavailable_groups", [1: .required("group_hash", .hash), 2: .one("reason", .text(.text))])

    /// A trainer whose loss is NaN must be able to say so.
    static let metric = Shape("metrics", [1: .one("name", .text(.name)), 2: .one("value", .anyDouble)])

    static let versionPublished = Shape("version_published", [1: .required("version", .message(policyVersion))])

    static let checkpointStable = Shape("checkpoint_stable", [1: .one("step", .number64)])

    static let heartbeat = Shape(
        "heartbeat",
        [
            1: .one("newest_version", .number64), 2: .one("tokens_per_second", .rate),
            3: .many("adoptions", .exactly(64), .message(adoption)),
        ])

    static let goodbye = Shape("goodbye", [1: .one("reason", .text(.text))])
}
