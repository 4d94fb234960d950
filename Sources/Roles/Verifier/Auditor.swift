import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Sampling
import Verification

/// Takes audits, replays them in order, and reports.
actor Auditor {
    private let run: Hash256
    private let keys: NodeKeys
    private let settings: VerifierRole.Settings
    private let session: OrchestratorSession
    private let desk: ReplayDesk
    private let log: Logger

    private var policies: PolicyStore?
    /// Audits that have not been replayed yet, oldest first.
    private var queue: [Wire.Audit] = []
    /// Audits that are being replayed.
    private var atWork: Set<UInt64> = []
    private var asked = 0
    /// What a group takes, by the newest replays; nil before the first.
    private var secondsPerGroup: Double?
    /// An audit waits here no longer than about this, well within the time that the orchestrator gives for one.
    private static let secondsAhead = 10.0
    private let (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(
        run: Hash256, keys: NodeKeys, settings: VerifierRole.Settings, session: OrchestratorSession, desk: ReplayDesk,
        log: Logger
    ) {
        self.run = run
        self.keys = keys
        self.settings = settings
        self.session = session
        self.desk = desk
        self.log = log
    }

    func work() async throws {
        var failure: (any Error)?
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.session.watchConnection(patience: .seconds(60)) }
                group.addTask { try await self.session.listen { try await self.take($0) } }
                group.addTask { try await self.keepAsking() }
                group.addTask { try await self.audit() }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
            log.notice("stopping; open audits are given back")
        } catch {
            failure = error
        }
        report(fault: queue.map(\.auditID), "the verifier stops")
        await session.close("the verifier stops")
        await policies?.shutDown()
        if let failure { throw failure }
    }

    private func take(_ body: Wire.ServerBody) async throws {
        switch body {
        case .welcome(let welcome):
            if policies == nil {
                guard let trust = PublicKey(rawBytes: welcome.manifestKey) else {
                    throw RoleFailure(.badInput, "The welcome names no key for weights.", advice: "Tell the lab.")
                }
                policies = try PolicyStore(
                    relays: welcome.relays, trust: trust, run: run, directory: settings.cache, log: log)
            }
            log.notice("joined run \(welcome.runName) as verifier")
            asked = 0
            askForAudits()
        case .auditAssignment(let assignment):
            // An answer closes its request, however many it grants.
            asked = 0
            // After a reconnection everything that is open comes again, also what is queued or being replayed here.
            let known = atWork.union(queue.map(\.auditID))
            queue += assignment.audits.filter { !known.contains($0.auditID) }
            ring.yield()
        case .versionAnnounced(let announced):
            if let version = PolicyVersion(announced.version) { prefetch(version) }
        case .drain:
            log.notice("The run needs no more audits.")
            session.closeWhenAnswered("the run is over")
        default: break
        }
    }

    private func prefetch(_ version: PolicyVersion) {
        guard let policies else { return }
        Task { try? await adopt(version, policies) }
    }

    private func adopt(_ version: PolicyVersion, _ policies: PolicyStore) async throws {
        if let complaint = try await desk.adopt(version, { try await policies.source(of: version, from: $0) }) {
            log.notice("\(complaint)")
        }
    }

    private func askForAudits() {
        let groups = groupsAhead
        let room = groups - queue.count - atWork.count - asked
        guard policies != nil, room > 0, room >= groups / 4 || queue.isEmpty else { return }
        asked += room
        var request = Wire.AuditRequest()
        request.groups = UInt32(room)
        session.sendOnce(.auditRequest(request))
    }

    /// How many groups this machine replays in good time; few until that is known.
    private var groupsAhead: Int {
        guard let secondsPerGroup else { return min(settings.groups, 4) }
        return max(1, min(settings.groups, Int(Self.secondsAhead / max(secondsPerGroup, 1e-6))))
    }

    private func keepAsking() async throws {
        while true {
            try await Task.sleep(for: .seconds(3))
            session.sendOnce(.heartbeat(Wire.Heartbeat()))
            if queue.isEmpty, atWork.isEmpty {
                asked = 0
                askForAudits()
            }
        }
    }

    private func audit() async throws {
        for await _ in bell {
            while !queue.isEmpty {
                try Task.checkCancellation()
                await replayNext()
                askForAudits()
            }
        }
        try Task.checkCancellation()
    }

    /// Replays the oldest audit together with those that want the same version: one forward pass for all.
    private func replayNext() async {
        let version = queue[0].version
        let audits = queue.filter { $0.version == version }.prefix(groupsAhead)
        let chosen = Set(audits.map(\.auditID))
        queue.removeAll { chosen.contains($0.auditID) }
        atWork = chosen
        defer { atWork = [] }
        guard let policies, let policy = PolicyVersion(version) else { return }
        var requests: [(id: UInt64, request: ReplayRequest)] = []
        for audit in audits {
            guard let request = ReplayRequest(audit, run: run) else {
                report(fault: [audit.auditID], "the assignment is malformed")
                continue
            }
            requests.append((audit.auditID, request))
        }
        do {
            try await adopt(policy, policies)
            let began = ContinuousClock.now
            let results = try await desk.replay(requests.map(\.request), under: policy) {
                try await policies.source(of: policy, from: $0)
            }
            let seconds = began.duration(to: .now) / .seconds(1) / Double(max(1, requests.count))
            secondsPerGroup = secondsPerGroup.map { ($0 + seconds) / 2 } ?? seconds
            for (item, result) in zip(requests, results) {
                switch result {
                case .success(let replay): try report(item.id, item.request, replay, seconds)
                case .failure(let reason): report(fault: [item.id], reason.sentence)
                }
            }
        } catch {
            log.warning("replay failed", metadata: ["reason": "\(error)"])
            report(fault: requests.map(\.id), "\(error)")
            // The weights may become reachable; asking again at once would only lose the next audits too.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func report(_ id: UInt64, _ request: ReplayRequest, _ replay: ReplayResult, _ seconds: Double) throws {
        var message = Wire.AuditReport()
        message.auditID = id
        message.samples = replay.wire
        message.seconds = seconds
        message.signature = .init(
            keys.signing.sign(
                domain: SignatureDomain.audit,
                SignedContent.audit(
                    auditID: id, groupID: request.groupID.bytes,
                    samplesHash: SHA256.hash(SignedContent.auditSamples(message.samples)).bytes)))
        try session.send(.auditReport(message))
    }

    private func report(fault audits: [UInt64], _ reason: String) {
        guard !audits.isEmpty else { return }
        var message = Wire.AuditFault()
        message.auditIds = audits
        message.reason = String(reason.prefix(300))
        session.sendOnce(.auditFault(message))
    }
}

extension ReplayRequest {
    /// The audit as it was assigned; nil when a key or hash has the wrong length.
    init?(_ audit: Wire.Audit, run: Hash256) {
        guard let group = Hash256([UInt8](audit.groupID)), let worker = PublicKey(rawBytes: audit.workerKey) else {
            return nil
        }
        self.init(
            runID: run, groupID: group, workerKey: worker,
            promptTokens: audit.promptTokens.map(Int32.init(bitPattern:)),
            parameters: SamplingParameters(audit.sampling),
            completions: audit.completions.map { $0.tokens.map(Int32.init(bitPattern:)) })
    }
}
