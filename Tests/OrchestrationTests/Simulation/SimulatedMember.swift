import Identity

@testable import Orchestration

/// One process that talks to the orchestrator over an unreliable network, and says everything until it is answered.
class SimulatedMember {
    unowned let world: World
    let key: PublicKey
    private let role: Role
    private(set) var connection = ConnectionID(0)
    private(set) var isUp = false
    private(set) var isWelcome = false
    var hasLeft = false
    private var nextMessage: UInt64 = 1
    private var unanswered: [UInt64: (Correspondent) -> [Event]] = [:]
    /// Rises with every start, so that timers of an earlier life do nothing.
    private(set) var life = 0

    init(_ world: World, key: PublicKey, role: Role) {
        self.world = world
        self.key = key
        self.role = role
    }

    var resumeStep: UInt64 { 0 }
    var engine: String { "" }

    func start() {
        guard !isUp, !hasLeft else { return }
        isUp = true
        life += 1
        connect()
        beat()
    }

    /// Loses everything that is not on disk.
    func kill() {
        guard isUp else { return }
        isUp = false
        life += 1
        unanswered = [:]
        wipe()
        let old = connection
        if world.random.chance(0.5) { world.tell(.disconnected(old)) }
    }

    /// Loses the connection only.
    func reconnect() {
        guard isUp, !hasLeft else { return }
        connect()
    }

    private func connect() {
        connection = world.newConnection(self)
        isWelcome = false
        unanswered = [:]
        let hello = Hello(
            key: key, role: role, invitation: Scenario.invitation(key), resumeStep: resumeStep, engine: engine)
        call { .hello(hello, from: $0) }
    }

    /// Says something until it is answered.
    @discardableResult
    func call(_ event: @escaping (Correspondent) -> Event) -> UInt64 { callAll { [event($0)] } }

    /// The same, where one message is several events.
    @discardableResult
    func callAll(_ events: @escaping (Correspondent) -> [Event]) -> UInt64 {
        let message = nextMessage
        nextMessage += 1
        unanswered[message] = events
        send(message)
        return message
    }

    private func send(_ message: UInt64) {
        guard isUp, !hasLeft, let events = unanswered[message] else { return }
        let from = Correspondent(connection, message: message)
        world.tell(events(from))
        let sentOn = connection
        world.after(150 + world.random.below(200)) { [weak self] in
            guard let self, self.connection == sentOn else { return }
            self.send(message)
        }
    }

    private func beat() {
        let current = life
        world.after(400) { [weak self] in
            guard let self, self.life == current, self.isUp, !self.hasLeft else { return }
            self.world.tell(.heartbeat(from: self.connection))
            self.beat()
        }
    }

    /// Takes in what came on the present connection.
    func receive(_ action: Action) {
        guard isUp, !hasLeft else { return }
        switch action {
        case .welcome(let to, let welcome):
            guard unanswered.removeValue(forKey: to.message) != nil else { return }
            isWelcome = true
            welcomed(welcome)
        case .refuse(let to, let refusal):
            let isAwaited = unanswered.removeValue(forKey: to.message) != nil
            if refusal.code == "hello-required" {
                connect()
            } else if refusal.code == "banned" || refusal.code == "superseded" || (to.message == 0 && refusal.final) {
                hasLeft = true
            } else if isAwaited {
                refused(to.message, refusal)
            }
        case .acknowledge(let to):
            if unanswered.removeValue(forKey: to.message) != nil { acknowledged(to.message) }
        case .sendLeases(let to, _), .sendAudits(let to, _), .sendBatch(let to, _, _), .sendReceipt(let to, _):
            unanswered[to.message] = nil
            take(action)
        case .close:
            connect()
        case .sendDrain(_, _, let isFinished):
            drained(isFinished)
        default:
            take(action)
        }
    }

    func isUnanswered(_ message: UInt64) -> Bool { unanswered[message] != nil }

    // What the roles do.
    func wipe() {}
    func welcomed(_ welcome: Welcome) {}
    func refused(_ message: UInt64, _ refusal: Refusal) {}
    func acknowledged(_ message: UInt64) {}
    func take(_ action: Action) {}
    func drained(_ isFinished: Bool) {}
}
