import Identity
import Messages
import Orchestration
import Sampling
import Tensors
import Transformer
import Verification

/// The orchestrator's judgement of groups: cheap checks, comparison with the replay, FLOPs.
///
/// It never believes what it compares: prompts and terms come from the run, rewards from token ids.
final class AuditDesk {
    /// What the comparison of a report with its group came to.
    enum Comparison {
        /// Neither agreement nor difference: the report itself cannot be used.
        case fault(String)
        /// They differ; the evidence is stored, so that others can re-check it.
        case differs(Finding, auditFLOPs: Int64, RunDatabase.StoredEvidence)
        /// They agree; the rewards are all that is missing.
        case agrees(Agreement)
    }

    /// A group whose replay agrees, until it is scored.
    struct Agreement {
        let group: Hash256
        let slot: UInt64
        /// The tokens to score, sample by sample.
        let completions: [[Int32]]
        /// What both sides computed, in FLOPs.
        let work: Int64
        /// An encoded `AuditReport`.
        let report: [UInt8]
        let verifier: PublicKey
        /// How far a group that was compared by tolerances lay from the replay; nil for one that had to be equal.
        let foreign: AuditStatistics?

        func acceptance(_ rewards: [Float]) -> AuditVerdict {
            .accepted(.init(rewards: rewards, verifiedFLOPs: work, auditFLOPs: work))
        }

        /// To be stored with the acceptance: the training input.
        func replay(_ rewards: [Float]) -> RunDatabase.StoredReplay {
            RunDatabase.StoredReplay(hash: group, report: report, rewards: rewards, verifier: verifier.hex)
        }
    }

    let context: RunContext
    private let database: RunDatabase
    private let model: ModelConfiguration
    /// What groups are judged by.
    let policies: AuditPolicies
    /// What verifiers reported about groups that they found good.
    let readings: ReplayReadings
    private let groupID: (UInt64) -> Hash256
    private var pending: [Hash256: Pending] = [:]

    /// A group between its receipt and its verdict, decoded once.
    private struct Pending {
        let evidence: GroupEvidence
        let terms: LeaseTerms
        let slot: UInt64
        var rewards: [Float]?
    }

    init(
        context: RunContext, database: RunDatabase, model: ModelConfiguration, policies: AuditPolicies,
        groupID: @escaping (UInt64) -> Hash256
    ) {
        self.groupID = groupID
        self.context = context
        self.database = database
        self.model = model
        self.policies = policies
        readings = ReplayReadings(database: database)
    }

    /// What a group is judged by, as its worker declared what it computes with.
    func rules(for engine: String) -> AuditRules {
        AuditRules(
            schemaVersion: SchemaVersion.current, arithmeticVersion: ArithmeticVersion.current,
            vocabularySize: model.vocabularySize, hiddenSize: model.hiddenSize, policy: policies.policy(for: engine))
    }

    /// Decodes a group and runs every check that needs no replay.
    func receive(
        _ payload: [UInt8], signature: [UInt8], hash: Hash256, from identity: PublicKey, leaseID: UInt64,
        lease: (record: LeaseRecord, version: PolicyVersion)
    ) -> Submission {
        let rules = rules(for: lease.record.engine)
        func failed(_ check: String, _ reason: String, _ severity: Orchestration.Severity, tokens: UInt64 = 0)
            -> Submission
        {
            Submission(
                lease: leaseID, group: hash, tokens: tokens,
                failure: Finding(check: check, reason: reason, severity: severity))
        }
        guard identity.isValidSignature(signature, domain: SignatureDomain.group, payload) else {
            return failed("signature", "The signature over the group does not hold for the channel's key.", .refuse)
        }
        // The stake burns for two groups of one lease, so nothing counts as a second one that does not say so itself.
        var isSecond = false
        if case .submitted = lease.record.phase { isSecond = true }
        let decoded: Wire.GroupPayload
        do throws(MessageError) {
            decoded = try Wire.GroupPayload(strict: payload)
        } catch {
            return failed("schema", "The signed group cannot be decoded: \(error)", isSecond ? .refuse : .soft)
        }
        guard let evidence = GroupEvidence(decoded) else {
            return failed(
                "schema", "A key or hash in the signed group has the wrong length.", isSecond ? .refuse : .soft)
        }
        guard !isSecond || (evidence.runID == context.id && evidence.leaseID == leaseID) else {
            return failed("lease", "The lease has its group, and this one is of another lease.", .refuse)
        }
        do {
            let terms = try terms(leaseID: leaseID, record: lease.record, version: lease.version)
            if let rejection = Checks.examine(evidence, terms: terms, rules: rules) {
                return failed(rejection.check, rejection.reason, rejection.severity.orchestration)
            }
            pending[hash] = Pending(evidence: evidence, terms: terms, slot: lease.record.slot)
            let completions = evidence.samples.map(\.tokens)
            return Submission(
                lease: leaseID, group: hash, tokens: completions.reduce(0) { $0 + UInt64($1.count) },
                work: workOf(prompt: terms.promptTokens.count, completions.map(\.count)),
                content: Self.content(completions), engine: evidence.engine,
                // Without a replay, only the canonical arithmetic lets the trainer compute the log-probabilities again.
                isAlwaysAudited: rules.policy != .exact)
        } catch {
            return failed("environment", "The lab's environment failed: \(error)", .refuse)
        }
    }

    /// What a verifier gets: tokens, and nothing that the worker computed from them.
    func assignment(_ audit: Audit) throws -> Wire.Audit {
        guard let group = try known(audit.group, slot: audit.slot) else {
            throw RoleFailure(.fault, "The payload of group \(audit.group.hex.prefix(12)) is gone.")
        }
        var message = Wire.Audit()
        message.auditID = audit.id
        message.runID = .init(context.id.bytes)
        message.groupID = .init(audit.groupID.bytes)
        message.workerKey = .init(audit.worker.rawBytes)
        message.version = audit.version.wire
        message.promptTokens = group.terms.promptTokens.map(UInt32.init(bitPattern:))
        message.sampling = context.sampling.wire
        message.completions = group.evidence.samples.map { sample in
            var list = Wire.TokenList()
            list.tokens = sample.tokens.map(UInt32.init(bitPattern:))
            return list
        }
        return message
    }

    /// Compares a replay with its group, and counts both sides' work.
    func compare(
        _ report: Wire.AuditReport, by verifier: PublicKey, of hash: Hash256, record: GroupRecord
    ) -> Comparison {
        do {
            guard let group = try known(hash, slot: record.slot) else {
                return .fault("the payload of the group is gone")
            }
            let signed = SignedContent.audit(
                auditID: report.auditID, groupID: group.terms.groupID.bytes,
                samplesHash: SHA256.hash(SignedContent.auditSamples(report.samples)).bytes)
            guard verifier.isValidSignature([UInt8](report.signature), domain: SignatureDomain.audit, signed) else {
                return .fault("the verifier's signature over its report does not hold")
            }
            guard let replay = ReplayResult(report.samples) else {
                return .fault("a value of the report has the wrong form")
            }
            let completions = group.evidence.samples.map(\.tokens)
            let work = workOf(prompt: group.terms.promptTokens.count, completions.map(\.count))
            let rules = rules(for: group.terms.engine)
            switch Checks.judge(group.evidence, terms: group.terms, rules: rules, replay: replay) {
            case .inconclusive(let verifierFault): return .fault(verifierFault.reason)
            case .rejected(let rejection):
                let finding = Finding(
                    check: rejection.check, reason: "\(rejection.reason) (\(rejection.place))",
                    severity: rejection.severity.orchestration)
                let bytes = [UInt8](try report.serializedData())
                let evidence = RunDatabase.StoredEvidence(
                    hash: hash, finding: finding, report: bytes, verifier: verifier.hex,
                    bundle: try bundle(
                        hash, group.terms, rules, .rejected(rejection),
                        [EvidenceReport(verifier: verifier, bytes: bytes)]))
                return .differs(finding, auditFLOPs: work, evidence)
            case .accepted(let statistics):
                return .agrees(
                    Agreement(
                        group: hash, slot: group.slot, completions: completions, work: work,
                        report: [UInt8](try report.serializedData()), verifier: verifier,
                        foreign: policies.isTolerant(of: group.terms.engine) ? statistics : nil))
            }
        } catch {
            // A disk that did not answer: a third state, never a verdict.
            return .fault("the lab could not judge the group: \(error)")
        }
    }

    /// The rewards of a group that was scored before, in an audit that came to nothing.
    func rewards(of group: Hash256) -> [Float]? { pending[group]?.rewards }

    /// Keeps a group's rewards until it has its verdict: they depend on nothing but its tokens.
    func keep(_ rewards: [Float], of group: Hash256) { pending[group]?.rewards = rewards }

    /// Drops what was kept of groups that came to a verdict.
    func note(_ fact: Fact) {
        switch fact {
        case .groupAccepted(let group, _, _, _, _, _), .groupRejected(let group, _, _, _, _),
            .groupWithdrawn(let group, _), .groupVested(let group, _, _, _):
            pending[group] = nil
        default: break
        }
    }

    /// Drops groups that were not journaled after all, or are not needed any more.
    func forget(_ groups: [Hash256]) {
        for group in groups { pending[group] = nil }
        readings.forget(groups)
    }

    /// The tokens of a journaled group, sample by sample; nil where its payload is gone.
    func completions(of hash: Hash256, slot: UInt64) throws -> [[Int32]]? {
        try known(hash, slot: slot)?.evidence.samples.map(\.tokens)
    }

    /// SHA-256("apus/content/v1\0" ‖ per sample u32le count and its tokens as u32le): equal for equal results.
    private static func content(_ completions: [[Int32]]) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/content/v1\u{0}")
        for tokens in completions {
            hash.update(littleEndian: UInt32(clamping: tokens.count))
            for token in tokens { hash.update(littleEndian: UInt32(bitPattern: token)) }
        }
        return hash.finalize()
    }

    private func workOf(prompt: Int, _ completions: [Int]) -> Int64 {
        Int64(clamping: model.forwardFLOPs(promptTokens: prompt, completionTokens: completions))
    }

    /// A file with which anybody can repeat the judgement, under the lab's seal; nil when the payload is gone.
    private func bundle(
        _ hash: Hash256, _ terms: LeaseTerms, _ rules: AuditRules, _ finding: EvidenceFinding,
        _ reports: [EvidenceReport]
    ) throws -> [UInt8]? {
        try database.group(hash).map { stored in
            EvidenceBundle(
                payload: stored.payload, signature: stored.signature, terms: terms, rules: EvidenceRules(rules),
                finding: finding, reports: reports
            ).sealed(by: context.keys.signing).bytes
        }
    }

    func terms(
        leaseID: UInt64, record: LeaseRecord, version: PolicyVersion
    ) throws -> LeaseTerms {
        LeaseTerms(
            runID: context.id, leaseID: leaseID, groupID: groupID(record.slot), attempt: record.attempt,
            workerKey: record.worker, policyVersion: version.number, weightsHash: version.weightsHash,
            environmentID: context.environmentID, environmentHash: context.environmentHash, engine: record.engine,
            promptTokens: try context.tasks.promptTokens(slot: record.slot), parameters: context.sampling)
    }

    /// The decoded group, from memory or, after a restart, from the database.
    private func known(_ hash: Hash256, slot: UInt64) throws -> Pending? {
        if let group = pending[hash] { return group }
        guard let stored = try database.group(hash) else { return nil }
        let payload = try Wire.GroupPayload(strict: stored.payload)
        guard let evidence = GroupEvidence(payload) else { return nil }
        // It passed the cheap checks when it was journaled, so its own fields are the lease's, the engine's name too.
        let terms = LeaseTerms(
            runID: evidence.runID, leaseID: evidence.leaseID, groupID: evidence.groupID, attempt: evidence.attempt,
            workerKey: evidence.workerKey, policyVersion: evidence.policyVersion, weightsHash: evidence.weightsHash,
            environmentID: evidence.environmentID, environmentHash: evidence.environmentHash, engine: evidence.engine,
            promptTokens: try context.tasks.promptTokens(slot: slot), parameters: context.sampling)
        let group = Pending(evidence: evidence, terms: terms, slot: slot)
        pending[hash] = group
        return group
    }
}

extension Rejection.Severity {
    /// The severity in the state machine's words.
    var orchestration: Orchestration.Severity {
        switch self {
        case .discard: .refuse
        case .softStrike: .soft
        case .slash: .slash
        }
    }
}
