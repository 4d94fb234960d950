/// The shapes of what the orchestrator sends; numbers and names are those of Protos/apus.proto.
extension Shape {
    static let serverMessage = Shape(
        "server message",
        [
            1: .required("schema_version", .number32),
            2: .one("message_id", .number64),
            3: .one("answers", .number64),
            10: .body("welcome", welcome),
            11: .body("refusal", refusal),
            12: .body("leases", leases),
            13: .body("receipt", receipt),
            14: .body("lease_cancelled", leaseCancelled),
            15: .body("audit_assignment", auditAssignment),
            16: .body("batch", batch),
            17: .body("acknowledgement", Shape("acknowledgement", [:])),
            18: .body("version_announced", versionAnnounced),
            19: .body("drain", drain),
            20: .body("standing", standing),
            21: .body("epoch_began", drawEpoch),
        ])

    static let welcome = Shape(
        "welcome",
        [
            1: .required("run_id", .hash),
            2: .many("relays", .items, .text(.text)),
            3: .required("manifest_key", .key),
            4: .one("current", .message(policyVersion)),
            5: .one("arithmetic_version", .number32),
            6: .required("receipt_key", .key),
            7: .one("run_name", .text(.name)),
            8: .one("heartbeat_milliseconds", .number64),
            9: .one("streak", .rate),
            10: .one("balance", .signed),
            11: .one("epoch", .message(drawEpoch)),
        ])

    static let drawEpoch = Shape(
        "epoch",
        [
            1: .one("number", .number64),
            2: .required("commitment", .hash),
            3: .required("next_commitment", .hash),
            4: .one("revealed", .hash),
        ])

    static let refusal = Shape(
        "refusal",
        [
            1: .one("code", .text(.name)),
            2: .one("reason", .text(.text)),
            3: .one("advice", .text(.text)),
            4: .one("final", .boolean),
        ])

    static let policyVersion = Shape(
        "version",
        [
            1: .one("number", .number64),
            2: .required("weights_hash", .hash),
            3: .one("step", .number64),
        ])

    static let samplingParameters = Shape(
        "sampling",
        [
            1: .required("samples", .size(.samples)),
            2: .required("max_tokens", .size(.tokens)),
            3: .one("temperature", .float(0, 1e6)),
            4: .one("top_k", .number32),
            5: .one("top_p", .float(0, 1)),
            6: .one("min_p", .float(0, 1)),
            7: .one("stop_tokens", .integers(.exactly(256), atMost: UInt64(Int32.max))),
        ])

    static let leases = Shape("leases", [1: .many("leases", .items, .message(lease))])

    static let lease = Shape(
        "lease",
        [
            1: .one("lease_id", .number64),
            2: .one("slot", .number64),
            3: .required("group_id", .hash),
            4: .one("attempt", .number32),
            5: .required("version", .message(policyVersion)),
            6: .one("environment_id", .text(.name)),
            7: .one("environment_hash", .hash),
            8: .one("prompt_tokens", .tokens),
            9: .required("sampling", .message(samplingParameters)),
            10: .one("deadline_milliseconds", .number64),
        ])

    static let receipt = Shape(
        "receipt",
        [
            1: .one("lease_id", .number64),
            2: .required("group_hash", .hash),
            3: .required("signature", .signature),
            4: .one("duplicate", .boolean),
        ])

    static let leaseCancelled = Shape(
        "lease_cancelled",
        [1: .one("lease_id", .number64), 2: .one("reason", .text(.text))])

    static let auditAssignment = Shape("audit_assignment", [1: .many("audits", .items, .message(audit))])

    static let audit = Shape(
        "audit",
        [
            1: .one("audit_id", .number64),
            2: .required("run_id", .hash),
            3: .required("group_id", .hash),
            4: .required("worker_key", .key),
            5: .required("version", .message(policyVersion)),
            6: .one("prompt_tokens", .tokens),
            7: .required("sampling", .message(samplingParameters)),
            8: .many("completions", .samples, .message(Shape("completions", [1: .one("tokens", .tokens)]))),
        ])

    static let batch = Shape(
        "batch",
        [
            1: .one("step", .number64),
            2: .many("groups", .items, .message(trainingGroup)),
            3: .one("batch_hash_prefix", .number64),
            4: .one("total_completion_tokens", .number64),
            5: .one("part", .number32),
            6: .one("parts", .number32),
            7: .one("versions_in_use", .integers(.items, atMost: .max)),
        ])

    static let trainingGroup = Shape(
        "groups",
        [
            1: .required("group_id", .hash),
            2: .required("group_hash", .hash),
            3: .required("version", .message(policyVersion)),
            4: .one("prompt_tokens", .tokens),
            5: .many("samples", .samples, .message(trainingSample)),
            6: .one("temperature", .float(0, 1e6)),
            7: .one("worker_key", .key),
            8: .one("engine", .text(.exactly(64))),
            9: .one("provisional", .boolean),
        ])

    static let trainingSample = Shape(
        "samples",
        [
            1: .one("tokens", .tokens),
            2: .one("behaviour_log_probabilities", .floats(.tokens)),
            3: .one("reported_log_probabilities", .floats(.tokens)),
            4: .one("reward", .float(-1e30, 1e30)),
        ])

    static let versionAnnounced = Shape(
        "version_announced",
        [1: .required("version", .message(policyVersion)), 2: .one("oldest_useful_version", .number64)])

    static let drain = Shape("drain", [1: .one("reason", .text(.text)), 2: .one("run_finished", .boolean)])

    static let standing = Shape(
        "standing",
        [
            1: .one("balance", .signed),
            2: .one("accepted", .number64),
            3: .one("rejected", .number64),
            4: .one("streak", .rate),
            5: .one("banned", .boolean),
            6: .many("reasons", .items, .text(.text)),
            7: .one("provisional", .number64),
            8: .one("unvested", .signed),
            9: .one("probability", .number32),
        ])
}
