/// `lease`, `worker-key`, `replayed-group` and `engine`: the payload must answer exactly the lease, by the worker that holds it.
struct LeaseCheck: SubmissionCheck {
    let name = "lease"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        guard evidence.workerKey == terms.workerKey else {
            throw Rejection(
                check: "worker-key", reason: "The payload names another worker than the channel it came through.",
                expected: terms.workerKey.hex, found: evidence.workerKey.hex)
        }
        guard evidence.runID == terms.runID else {
            throw Rejection(
                check: "lease", reason: "The group belongs to another run.", expected: terms.runID.hex,
                found: evidence.runID.hex)
        }
        guard evidence.groupID == terms.groupID else {
            throw Rejection(
                check: "replayed-group", reason: "The payload is of another group than the leased one.",
                severity: .slash, expected: terms.groupID.hex, found: evidence.groupID.hex)
        }
        guard evidence.leaseID == terms.leaseID else {
            throw Rejection(
                check: "lease", reason: "The payload answers another lease.", expected: terms.leaseID,
                found: evidence.leaseID)
        }
        guard evidence.attempt == terms.attempt else {
            throw Rejection(
                check: "lease", reason: "The payload answers another attempt of the lease.", expected: terms.attempt,
                found: evidence.attempt)
        }
        guard evidence.engine == terms.engine else {
            throw Rejection(
                check: "engine", reason: "The payload names another engine than the worker declared when it joined.",
                expected: terms.engine.isEmpty ? "the canonical arithmetic" : terms.engine,
                found: evidence.engine.isEmpty ? "the canonical arithmetic" : evidence.engine)
        }
    }
}
