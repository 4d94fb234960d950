import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Queues

/// Drives the run's state machine: messages become events, facts become a synced transaction, and only then do
/// actions become messages.
///
/// One turn takes everything that has arrived. Everything here happens in one task, in order, so the machine needs no
/// lock and the journal has one writer.
actor Orchestrator {
    let context: RunContext
    let database: RunDatabase
    let messages: ServerMessages
    let desk: AuditDesk
    let batches: BatchDesk
    let chronicle: Chronicle
    let log: Logger
    private let socket: RouterSocket
    private let helloCheck: HelloCheck
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private var stopReason: String?

    var run: Run
    var connections = Connections()
    let scoring: ScoringDesk
    private let snapshots: SnapshotDesk
    /// Audits that wait for their group's rewards; verifiers hold a bounded number.
    var judgements: [UInt64: Judgement] = [:]
    /// What the groups of workers under tolerances come to.
    var margins: ForeignMargins
    /// What the current turn will write.
    var turn = RunDatabase.Turn()
    /// The finding of the report that is being taken in.
    var offered: RunDatabase.StoredEvidence?
    /// What may be carried out once the turn is written.
    var waiting: [Action] = []

    init(
        context: RunContext, run: Run, database: RunDatabase, socket: RouterSocket, desk: AuditDesk,
        scoring: ScoringDesk, chronicle: Chronicle, snapshots: SnapshotDesk, helloCheck: HelloCheck,
        margins: ForeignMargins = ForeignMargins(), log: Logger
    ) {
        self.context = context
        self.run = run
        self.database = database
        batches = BatchDesk(database: database, policies: desk.policies)
        self.socket = socket
        self.desk = desk
        self.scoring = scoring
        self.chronicle = chronicle
        self.snapshots = snapshots
        self.log = log
        messages = ServerMessages(run: context)
        self.helloCheck = helloCheck
        self.margins = margins
        began = clock.now
    }

    /// Works until the run is finished or drained.
    ///
    /// - Returns: Why it stopped.
    func work(_ mailbox: Mailbox<Work>) async throws -> String {
        for await _ in mailbox.turns {
            try takeTurn(mailbox.takeAll())
            if let stopReason {
                // The last messages (drains, receipts) leave the socket's queue before the process does.
                try? await Task.sleep(for: .milliseconds(100))
                await chronicle.finish()
                return stopReason
            }
        }
        return "the mailbox was closed"
    }

    private func takeTurn(_ items: [Work]) throws {
        // After a standstill of ours all of them would count as silent but the first.
        let heard = items.compactMap { item -> ConnectionID? in
            guard case .message(let incoming) = item else { return nil }
            return connections.known(peer: incoming.peer, curveKey: incoming.curveKey)
        }
        if heard.count > 1 { step(.heard(heard)) }
        for item in items {
            switch item {
            case .message(let incoming): take(incoming)
            case .scored(let subject, let result): takeScore(subject, result)
            case .disconnected(let peer, let curveKey):
                if let id = connections.known(peer: peer, curveKey: curveKey) {
                    step(.disconnected(id))
                    connections.forget(id)
                }
            case .drain(let reason, let milliseconds): step(.drain(reason: reason, milliseconds: milliseconds))
            case .tick: break
            }
        }
        step(.tick)
        try settle()
    }

    /// Writes and syncs what was decided, then lets the outside know.
    private func settle() throws {
        let written = turn
        turn = RunDatabase.Turn()
        try database.commit(written)
        snapshots.offer(run.state)
        exportEvidence(written.evidence)
        let actions = waiting
        waiting = []
        for action in actions { try carryOut(action) }
    }

    /// Feeds one event to the machine and sorts what it wants into writing and sending.
    func step(_ event: Event) {
        let now = Instant(milliseconds: UInt64(max(0, (clock.now - began) / .milliseconds(1))))
        for action in run.step(event, at: now) {
            switch action {
            case .journal(let fact):
                turn.facts.append(fact)
                desk.note(fact)
                keepEvidence(fact)
            case .settle(let settlement): turn.settlements.append(settlement)
            case .forgetGroups(let hashes):
                turn.forgotten += hashes
                desk.forget(hashes)
            default: waiting.append(action)
            }
        }
    }

    private func take(_ incoming: Incoming) {
        let connection = connections.connection(peer: incoming.peer, curveKey: incoming.curveKey)
        guard connections.admits(messageOn: connection.id, at: clock.now) else {
            log.notice("connection cut: too many messages", metadata: ["address": "\(incoming.address)"])
            step(.disconnected(connection.id))
            connections.forget(connection.id)
            socket.disconnect(incoming.peer)
            return
        }
        let envelope: ClientEnvelope
        do throws(MessageError) {
            envelope = try ClientEnvelope(frames: incoming.frames)
        } catch {
            log.debug("message refused", metadata: ["reason": "\(error)"])
            send(.refusal(refusal("malformed", "\(error)")), to: Correspondent(connection.id))
            return
        }
        let from = Correspondent(connection.id, message: envelope.header.messageID)
        guard let body = envelope.header.body else { return }
        if case .hello(let hello) = body {
            greet(hello, connection, from)
        } else if connections[connection.id]?.identity == nil {
            // After a restart of ours every client has to introduce itself again.
            send(.refusal(refusal("hello-first", "The first message of a connection must be a hello.")), to: from)
        } else {
            take(body, attachments: envelope.attachments, from: from)
        }
    }

    private func greet(_ hello: Wire.Hello, _ connection: Connections.Connection, _ from: Correspondent) {
        switch helloCheck.check(hello, curveKey: connection.curveKey) {
        case .success(let hello):
            // A second key on one connection would let one host pass for many.
            if let earlier = connection.identity, earlier != hello.key {
                send(
                    .refusal(refusal("identity", "This connection speaks for another key already.", final: true)),
                    to: from)
                return
            }
            // What judges a group must not be chosen after it was made.
            if connection.identity != nil, connection.engine != hello.engine {
                send(
                    .refusal(refusal("identity", "This connection declared another engine before.", final: true)),
                    to: from)
                return
            }
            connections.introduce(connection.id, hello)
            chronicle.note(engine: hello.engine, of: hello.key)
            if run.configuration.trainers.contains(hello.key) { completeRows(through: hello.resumeStep) }
            step(.hello(hello, from: from))
        case .failure(let reason):
            chronicle.note(.refused(key: nil, code: reason.code, reason: reason.reason))
            send(.refusal(refusal(reason.code, reason.reason, advice: reason.advice, final: true)), to: from)
        }
    }

    func refusal(_ code: String, _ reason: String, advice: String = "", final: Bool = false) -> Wire.Refusal {
        var message = Wire.Refusal()
        message.code = code
        message.reason = reason
        message.advice = advice
        message.final = final
        return message
    }

    /// Sends one message; a peer that is gone or does not read is not waited for.
    func send(_ body: Wire.ServerBody, attachments: [[UInt8]] = [], to: Correspondent) {
        guard let connection = connections[to.connection] else { return }
        let number = connections.nextMessage(to: to.connection)
        let envelope = ServerEnvelope(id: number, answers: to.message, body, attachments: attachments)
        do {
            try socket.send(envelope.frames, to: connection.peer)
        } catch {
            // A peer that does not read is its own affair; a message that can never be sent is ours.
            let level: Logger.Level = error.code == .tooLarge ? .error : .debug
            log.log(level: level, "message not sent", metadata: ["to": "\(connection.name)", "reason": "\(error)"])
        }
    }

    func stop(_ reason: String) { stopReason = reason }
}

/// What a turn of the orchestrator is made of.
enum Work: Sendable {
    /// A message arrived.
    case message(Incoming)
    /// A group was scored, or could not be.
    case scored(ScoringDesk.Subject, ScoringDesk.Result)
    /// A connection is gone.
    case disconnected(peer: PeerID, curveKey: [UInt8])
    /// The operator wants to stop.
    case drain(reason: String, milliseconds: UInt64)
    /// Time passed.
    case tick
}
