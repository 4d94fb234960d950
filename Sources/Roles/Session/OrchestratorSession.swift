import Logging
import Messages
import Queues
import Synchronization

/// A member's conversation with the orchestrator: greets on every connection, repeats what is not answered, and hands
/// over what arrives.
final class OrchestratorSession: Sendable {
    private let dealer: ReliableDealer
    private let identity: SessionIdentity
    private let log: Logger
    /// The last step that a STABLE checkpoint covers, which every greeting names; it moves on while the trainer lives.
    private let stableStep: StableStep

    /// Starts connecting; returns at once.
    init(_ identity: SessionIdentity, log: Logger) throws {
        self.identity = identity
        self.log = log
        let stableStep = StableStep(identity.resumeStep)
        self.stableStep = stableStep
        // Members give a sign of life every three seconds, which the orchestrator answers.
        var limits = SocketLimits.standard
        limits.answerWithin = .seconds(20)
        dealer = try ReliableDealer(
            connect: identity.ticket.endpoint, serverKey: try identity.orchestrator.curve, keys: identity.keys.curve,
            limits: limits, policy: .init(repeatAfter: .seconds(5)),
            greeting: { id in ClientEnvelope(id: id, .hello(identity.hello(resumeStep: stableStep.current))).frames })
    }

    /// Notes that a STABLE checkpoint covers a step, for the greetings to come.
    func noteStable(step: UInt64) { stableStep.advance(to: step) }

    /// Sends a message until it is answered.
    ///
    /// - Returns: The number that its answer names.
    @discardableResult
    func send(_ body: Wire.ClientBody, attachments: [[UInt8]] = []) throws -> UInt64 {
        try dealer.send { id in ClientEnvelope(id: id, body, attachments: attachments).frames }
    }

    /// Sends a message once: what a later message or the next welcome makes worthless.
    func sendOnce(_ body: Wire.ClientBody) {
        do {
            try dealer.sendOnce { id in ClientEnvelope(id: id, body).frames }
        } catch {
            log.debug("message dropped", metadata: ["reason": "\(error)"])
        }
    }

    /// What the orchestrator says, in order, until the session is closed.
    ///
    /// - Parameters:
    ///   - handle: Called for every message; a welcome comes again after every reconnection.
    ///   - answered: Called with the number of a message of ours that is answered and not refused, before it stops counting
    ///     as pending: what it sends leaves before ``closeWhenAnswered(_:)`` closes.
    /// - Throws: A ``RoleFailure`` when the orchestrator refuses this member for good.
    func listen(
        _ handle: (Wire.ServerBody) async throws -> Void, answered: (UInt64) async throws -> Void = { _ in }
    ) async throws {
        for await frames in dealer.incoming {
            let envelope: ServerEnvelope
            do throws(MessageError) {
                envelope = try ServerEnvelope(frames: frames)
            } catch {
                log.warning("The orchestrator sent something unreadable", metadata: ["reason": "\(error)"])
                continue
            }
            let body = envelope.header.body
            // Who has to greet first was not listened to: the message is sent again.
            let answers = envelope.header.answers
            if answers != 0, !Self.asksForHello(body) {
                if !Self.isRefusal(body) { try await answered(answers) }
                dealer.acknowledge(answers)
            }
            guard let body else { continue }
            if case .refusal(let refusal) = body {
                try take(refusal)
            }
            try await handle(body)
        }
    }

    /// Whether a refusal is about the member itself.
    ///
    /// Others are about one message: a refused group, say, is final for that group and no reason to leave.
    private static func isOfMembership(_ code: String) -> Bool {
        [
            "identity", "role", "arithmetic-version", "kernel-vectors", "banned", "not-listed", "no-invitation",
            "invitation-used", "run-full", "wrong-role", "superseded",
        ].contains(code)
    }

    /// Whether the orchestrator was started again, or took this member for dead, and does not know it any more.
    private static func asksForHello(_ body: Wire.ServerBody?) -> Bool {
        guard case .refusal(let refusal) = body else { return false }
        return refusal.code == "hello-first" || refusal.code == "hello-required"
    }

    private static func isRefusal(_ body: Wire.ServerBody?) -> Bool {
        if case .refusal = body { true } else { false }
    }

    private func take(_ refusal: Wire.Refusal) throws {
        if refusal.final,
            Self.isOfMembership(refusal.code) || identity.role == .trainer && refusal.code != "batch-released"
        {
            throw RoleFailure(
                .unreachable, "The orchestrator refuses this \(identity.role.rawValue): \(refusal.reason)",
                advice: refusal.advice)
        }
        if Self.asksForHello(.refusal(refusal)) {
            sendOnce(.hello(identity.hello(resumeStep: stableStep.current)))
        }
        log.notice("refused: \(refusal.reason)", metadata: ["code": "\(refusal.code)"])
    }

    /// Says what happens to the connection, in words for people, until the session is closed.
    ///
    /// - Throws: A ``RoleFailure`` when the channel's key is refused, or nobody answers for `patience` before the first
    ///   connection.
    func watchConnection(patience: Duration) async throws {
        let began = ContinuousClock.now
        var wasConnected = false
        for await event in dealer.events {
            switch event {
            case .connected:
                log.info("connected", metadata: ["to": "\(identity.ticket.endpoint)"])
                wasConnected = true
            case .disconnected: log.notice("The connection to the orchestrator broke; trying again.")
            case .silent(let duration):
                log.notice(
                    """
                    The orchestrator has not answered for \(Int(duration / .seconds(1))) s; connecting anew. \
                    What was sent is sent again.
                    """)
            case .refused:
                throw RoleFailure(
                    .unreachable, "The orchestrator at \(identity.ticket.endpoint) refuses this key.",
                    advice: "Ask the lab for an invitation, or check that the key file is the one it knows.")
            case .handshakeBroken(let reason):
                log.notice("No connection: \(reason).")
                if !wasConnected, began.duration(to: .now) > patience { throw unreachable("(\(reason))") }
            case .retrying:
                if !wasConnected, began.duration(to: .now) > patience { throw unreachable("") }
            case .gaveUp(let id): log.warning("message \(id) was never answered")
            }
        }
    }

    private func unreachable(_ detail: String) -> RoleFailure {
        RoleFailure(
            .unreachable, "Nobody answers at \(identity.ticket.endpoint)\(detail.isEmpty ? "" : " \(detail)").",
            advice: "Check the join address, and that the run is up and this machine may reach it.")
    }

    /// Closes as soon as everything that was sent is answered, at the latest after a few seconds.
    ///
    /// For a member that is told to leave: its last group or checkpoint must arrive first. Returns at once, because the
    /// answers come through ``listen(_:)``, in which the caller usually is.
    func closeWhenAnswered(_ reason: String) {
        Task {
            let began = ContinuousClock.now
            while dealer.pendingCount > 0, began.duration(to: .now) < .seconds(5) {
                try? await Task.sleep(for: .milliseconds(5))
            }
            await close(reason)
        }
    }

    /// Says goodbye and lets the last messages leave.
    func close(_ reason: String) async {
        var goodbye = Wire.Goodbye()
        goodbye.reason = reason
        sendOnce(.goodbye(goodbye))
        await dealer.closeAndWait()
    }
}

/// A step that only grows, shared with the socket's thread.
private final class StableStep: Sendable {
    private let step: Mutex<UInt64>

    init(_ step: UInt64) { self.step = Mutex(step) }

    var current: UInt64 { step.withLock { $0 } }

    func advance(to next: UInt64) { step.withLock { $0 = max($0, next) } }
}

extension OrchestratorSession {
    /// Gives a sign of life at intervals, until the task is cancelled.
    func keepAlive(every interval: Duration) async throws {
        while true {
            try await Task.sleep(for: interval)
            sendOnce(.heartbeat(Wire.Heartbeat()))
        }
    }
}
