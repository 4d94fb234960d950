import Foundation
import Generation
import Identity
import Logging
import Messages
import Orchestration
import Tensors

/// Keeps the engine fed with leases and hands its groups in.
actor RolloutWorker {
    private let run: Hash256
    private let ticket: JoinTicket
    private let keys: NodeKeys
    private let settings: WorkerRole.Settings
    private let session: OrchestratorSession
    private let desk: any GroupEngine
    private let log: Logger

    private var policies: PolicyStore?
    /// Leases being worked on, by group.
    private var held: [Hash256: HeldLease] = [:]
    /// Groups asked for and not yet leased.
    private var asked = 0
    private var newest: UInt64 = 0
    private var isDraining = false
    private var draws = DrawWatch()
    private var shownAt: ContinuousClock.Instant?
    /// What the newest change of versions took.
    private var adoption: Adoption?
    private let (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let clock = ContinuousClock()

    init(
        run: Hash256, ticket: JoinTicket, keys: NodeKeys, settings: WorkerRole.Settings, session: OrchestratorSession,
        desk: any GroupEngine, log: Logger
    ) {
        self.run = run
        self.ticket = ticket
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
                group.addTask { try await self.reportProgress() }
                group.addTask { try await self.generate() }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
            log.notice("stopping; leases are given back")
        } catch {
            failure = error
        }
        giveBack(held.values.map(\.id), reason: "draining")
        await session.close("the worker stops")
        await policies?.shutDown()
        if let failure { throw failure }
    }

    // MARK: - What the orchestrator says

    private func take(_ body: Wire.ServerBody) async throws {
        switch body {
        case .welcome(let welcome): try greet(welcome)
        case .leases(let leases): accept(leases)
        case .receipt(let receipt): check(receipt)
        case .leaseCancelled(let cancelled): await drop(cancelled.leaseID, reason: cancelled.reason)
        case .versionAnnounced(let announced):
            if let version = PolicyVersion(announced.version) { prefetch(version) }
        case .standing(let standing): show(standing)
        case .epochBegan(let epoch): watch(epoch)
        case .refusal: askForLeases()
        case .drain(let drain):
            log.notice("The run needs no more groups: \(drain.reason).")
            isDraining = true
            if drain.runFinished || held.isEmpty { session.closeWhenAnswered("the run is over") }
        default: break
        }
    }

    private func greet(_ welcome: Wire.Welcome) throws {
        if policies == nil {
            guard let trust = PublicKey(rawBytes: welcome.manifestKey) else {
                throw RoleFailure(.badInput, "The welcome names no key for weights.", advice: "Tell the lab.")
            }
            policies = try PolicyStore(
                relays: welcome.relays, trust: trust, run: run, directory: settings.cache, log: log)
        }
        log.notice(
            "joined run \(welcome.runName)",
            metadata: ["balance": "\(welcome.balance)", "streak": "\(Int64(welcome.streak))"])
        if welcome.hasCurrent, let version = PolicyVersion(welcome.current) { prefetch(version) }
        if welcome.hasEpoch { watch(welcome.epoch) }
        // What was asked before the connection broke is forgotten over there.
        asked = 0
        isDraining = false
        askForLeases()
    }

    /// Checks that the lab draws audits by the secrets that it committed to.
    private func watch(_ epoch: Wire.DrawEpoch) {
        if let complaint = draws.take(epoch) { log.warning("\(complaint)") }
    }

    private func accept(_ leases: Wire.Leases) {
        // An answer closes its request, however many it grants.
        asked = 0
        for message in leases.leases {
            guard let lease = HeldLease(message) else {
                giveBack([message.leaseID], reason: "malformed lease")
                continue
            }
            guard held[lease.request.groupID]?.id != lease.id else { continue }
            let isReplaced = held[lease.request.groupID] != nil
            held[lease.request.groupID] = lease
            Task {
                if isReplaced { await desk.cancel(lease.request.groupID) }
                await begin(lease)
            }
        }
    }

    private func begin(_ lease: HeldLease) async {
        do {
            guard let policies else { return }
            let source = try await policies.source(of: lease.version, from: await desk.newest)
            guard held[lease.request.groupID]?.id == lease.id else { return }
            try await desk.add(lease.request, version: lease.version, source)
            ring.yield()
        } catch {
            // Whatever took the lease away has said so.
            guard held[lease.request.groupID]?.id == lease.id else { return }
            log.warning("lease \(lease.id) given back", metadata: ["reason": "\(error)"])
            held[lease.request.groupID] = nil
            ring.yield()
            giveBack([lease.id], reason: String("\(error)".prefix(200)))
            // Not at once: whatever failed would fail again.
            try? await Task.sleep(for: .seconds(1))
            askForLeases()
        }
    }

    private func prefetch(_ version: PolicyVersion) {
        guard version.number > newest || newest == 0, let policies else { return }
        newest = version.number
        Task {
            do {
                await desk.announce(version, try await policies.source(of: version, from: await desk.newest))
            } catch {
                log.debug("version \(version.number) not fetched yet", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func drop(_ lease: UInt64, reason: String) async {
        guard let (group, _) = held.first(where: { $0.value.id == lease }) else { return }
        held[group] = nil
        await desk.cancel(group)
        log.debug("lease \(lease) is off", metadata: ["reason": "\(reason)"])
        askForLeases()
    }

    private func check(_ receipt: Wire.Receipt) {
        let content = SignedContent.receipt(
            runID: run.bytes, groupHash: [UInt8](receipt.groupHash), workerKey: keys.signing.publicKey.rawBytes,
            leaseID: receipt.leaseID)
        let lab = NodePublicKeys(ticket.key)?.identity
        if lab?.isValidSignature([UInt8](receipt.signature), domain: SignatureDomain.receipt, content) != true {
            log.warning("The receipt for lease \(receipt.leaseID) is not signed by the lab.")
        }
    }

    private func show(_ standing: Wire.Standing) {
        // A fast worker is credited many times a second; people want to know every few seconds.
        if standing.banned || shownAt.map({ $0.duration(to: clock.now) > .seconds(5) }) ?? true {
            shownAt = clock.now
            log.notice(
                standing.banned ? "This key is out of the run." : "credited so far",
                metadata: [
                    "balance": "\(Double(standing.balance) / 1e9) GFLOP", "accepted": "\(standing.accepted)",
                    "rejected": "\(standing.rejected)", "audits": "\(TrustSentence(standing))",
                    "weights": "\(adoption?.sentence ?? "first")",
                ])
        }
        for reason in standing.reasons { log.warning("not credited: \(reason)") }
    }

    // MARK: - Work

    private func generate() async throws {
        for await _ in bell {
            var isIdle = false
            var finished: [GenerationDesk.Finished] = []
            while !isIdle || !finished.isEmpty {
                try Task.checkCancellation()
                // What is finished is handed in while the desk computes on.
                async let outcome = desk.step()
                for group in finished { try submit(group) }
                (finished, isIdle) = try await outcome
                if isDraining, held.isEmpty { session.closeWhenAnswered("drained") }
            }
        }
        try Task.checkCancellation()
    }

    private func submit(_ finished: GenerationDesk.Finished) throws {
        // A group that was leased again under another version must not be handed in with the earlier version's tokens.
        guard let lease = held[finished.group.groupID], lease.version.number == finished.group.version else { return }
        held[finished.group.groupID] = nil
        let bytes = lease.payload(
            finished.group, run: run.bytes, worker: keys.signing.publicKey,
            arithmeticVersion: ArithmeticVersion.current, engine: settings.engine
        ).signedBytes
        var submission = Wire.GroupSubmission()
        submission.leaseID = lease.id
        submission.seconds = finished.seconds
        submission.signature = .init(keys.signing.sign(domain: SignatureDomain.group, bytes))
        try session.send(.groupSubmission(submission), attachments: [bytes])
        askForLeases()
    }

    /// Asks for as many groups as there is room for, but not for every single one.
    private func askForLeases() {
        let room = settings.groups - held.count - asked
        guard !isDraining, policies != nil, room > 0, room >= settings.groups / 4 || held.isEmpty else { return }
        asked += room
        var request = Wire.LeaseRequest()
        request.groups = UInt32(room)
        request.newestVersion = newest
        session.sendOnce(.leaseRequest(request))
    }

    private func giveBack(_ leases: [UInt64], reason: String) {
        guard !leases.isEmpty else { return }
        var message = Wire.LeaseReturn()
        message.leaseIds = leases
        message.reason = reason
        session.sendOnce(.leaseReturn(message))
    }

    private func reportProgress() async throws {
        var tokens: UInt64 = 0
        var time = clock.now
        while true {
            try await Task.sleep(for: .seconds(3))
            let generated = await desk.tokensGenerated
            adoption = await desk.adoption
            let seconds = time.duration(to: clock.now) / .seconds(1)
            let rate = generated >= tokens ? Double(generated - tokens) / seconds : 0
            (tokens, time) = (generated, clock.now)
            if held.isEmpty {
                var beat = Wire.Heartbeat()
                beat.newestVersion = newest
                beat.tokensPerSecond = rate
                session.sendOnce(.heartbeat(beat))
                // An answer may have been lost with a connection; asking again replaces the old request.
                asked = 0
                askForLeases()
            } else {
                var progress = Wire.LeaseProgress()
                progress.leaseIds = held.values.map(\.id)
                progress.tokensPerSecond = rate
                session.sendOnce(.leaseProgress(progress))
            }
        }
    }
}
