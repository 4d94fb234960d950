import CZeroMQ
import Identity
import Synchronization

/// The thread of a ``RouterSocket``: reads, checks, sends, and looks after connections.
// `@unchecked`: built by one thread, then used by the socket's thread only; starting that thread is the hand-over.
final class RouterLoop: @unchecked Sendable {
    /// A client's connection that has spoken.
    private struct Peer {
        let id: PeerID
        let userID: String
        let curveKey: [UInt8]
        let descriptor: Int32
    }

    private let context: ZeroMQContext
    private let socket: ZeroMQSocket
    private let reports: ZeroMQSocket
    private let access: AccessControl
    private let limits: SocketLimits
    private let reader: MessageReader
    private let control: SocketControl
    private let outbox: Outbox<RouterOutgoing>
    private let inbox: Inbox<Incoming>
    private let events: AsyncStream<RouterSocket.Event>.Continuation

    private var peers: [UInt32: Peer] = [:]
    private var routes: [Int32: UInt32] = [:]
    private var generation: UInt64 = 0
    private var connections: ConnectionGuard
    private var backlogs: PeerBacklogs
    private var lastCheck = ContinuousClock.now

    init(
        context: ZeroMQContext, socket: ZeroMQSocket, reports: ZeroMQSocket, access: AccessControl,
        limits: SocketLimits, control: SocketControl, outbox: Outbox<RouterOutgoing>, inbox: Inbox<Incoming>,
        events: AsyncStream<RouterSocket.Event>.Continuation
    ) {
        self.context = context
        self.socket = socket
        self.reports = reports
        self.access = access
        self.limits = limits
        reader = MessageReader(limits: limits)
        self.control = control
        self.outbox = outbox
        self.inbox = inbox
        self.events = events
        connections = ConnectionGuard(limits: limits)
        backlogs = PeerBacklogs(limits: limits)
    }

    func start() throws(QueueError) {
        try SocketThread.start { [self] in
            run()
            // Sends what is left in the outbox before libzmq gets its time to deliver it.
            try? socket.set(ZMQ_LINGER, limits.lingerAtClose.milliseconds)
            socket.stopMonitor()
            context.close()
            inbox.finish()
            events.finish()
            control.reportEnd()
        }
    }

    private func run() {
        while true {
            control.wakeUp.clear()
            let isClosing = control.shouldClose
            readReports()
            access.answerAll { key, address in
                control.statistics.withLock { $0.refusedKeys += 1 }
                events.yield(.refused(curveKey: key, address: address))
            }
            offerBacklogs()
            sendAll()
            if isClosing { return }
            let isReading = receiveSome()
            checkConnections(isReading: isReading)
            wait(isReading: isReading)
        }
    }

    private func wait(isReading: Bool) {
        var items = [
            zmq_pollitem_t(socket: socket.pointer, fd: 0, events: isReading ? Int16(ZMQ_POLLIN) : 0, revents: 0),
            zmq_pollitem_t(socket: access.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
            zmq_pollitem_t(socket: reports.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
            zmq_pollitem_t(socket: nil, fd: control.wakeUp.descriptor, events: Int16(ZMQ_POLLIN), revents: 0),
        ]
        // Only the connection guard and clients that read slowly need a clock; whatever else happens wakes the
        // thread by itself.
        let idle = connections.isIdle ? -1 : checkInterval
        zmq_poll(&items, Int32(items.count), backlogs.isEmpty ? idle : 2)
    }

    // MARK: Receiving

    /// Reads a bounded number of messages; false while the program is behind.
    private func receiveSome() -> Bool {
        for _ in 0..<256 {
            guard inbox.hasRoom() else { return false }
            switch reader.read(from: socket, hasRoute: true) {
            case .message(let origin, let frames):
                guard let peer = peer(origin) else { continue }
                let bytes = frames.reduce(0) { $0 + $1.count }
                control.statistics.withLock {
                    $0.received += 1
                    $0.receivedBytes += bytes
                }
                let message = Incoming(peer: peer.id, curveKey: peer.curveKey, address: origin.address, frames: frames)
                inbox.put(message, weight: weight(of: frames))
            case .refused(let origin, let reason):
                drop(reason)
                cut(origin.descriptor, .misbehaved)
            case .nothing, .failed:
                return true
            }
        }
        // More may be waiting; `zmq_poll` will say so at once.
        return true
    }

    /// Finds or registers the connection that a message came from, from what the transport itself says about it.
    private func peer(_ origin: MessageReader.Origin) -> Peer? {
        // libzmq's own numbers are a zero byte and four more; anything else was chosen by the client.
        guard origin.route.count == 5, origin.route[0] == 0 else {
            drop(.chosenRoute)
            cut(origin.descriptor, .misbehaved)
            return nil
        }
        let route = origin.route[1...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if let peer = peers[route], peer.userID == origin.userID, peer.descriptor == origin.descriptor {
            connections.delivered(origin.descriptor)
            return peer
        }
        // News about the connection was queued before its first message was; without it, an end that was reported
        // for an earlier connection with this descriptor would be taken for the end of this one.
        readReports()
        forget(route)
        // A connection has one route; what an earlier one with this descriptor left behind is over.
        if let earlier = routes[origin.descriptor] { forget(earlier) }
        guard let key = Hexadecimal.decode(origin.userID), key.count == CurveKey.byteCount else {
            drop(.noKey)
            cut(origin.descriptor, .misbehaved)
            return nil
        }
        generation += 1
        let peer = Peer(
            id: PeerID(route: route, generation: generation), userID: origin.userID, curveKey: key,
            descriptor: origin.descriptor)
        // Its last messages may be read after its end; they can be answered no more.
        guard connections.contains(origin.descriptor) else { return peer }
        peers[route] = peer
        routes[origin.descriptor] = route
        connections.delivered(origin.descriptor)
        return peer
    }

    private func forget(_ route: UInt32) {
        guard let peer = peers.removeValue(forKey: route) else { return }
        if routes[peer.descriptor] == route { routes[peer.descriptor] = nil }
        for _ in 0..<backlogs.remove(route) { undeliverable(peer.id, .peerGone) }
        events.yield(.left(peer.id, curveKey: peer.curveKey))
    }

    // MARK: Sending

    private func sendAll() {
        while let outgoing = outbox.takeFirst() {
            switch outgoing {
            case .message(let id, let frames): send(frames, to: id)
            case .cut(let id):
                if let peer = peers[id.route], peer.id == id { NetworkSocket.cut(peer.descriptor) }
            }
        }
    }

    private func send(_ frames: Frames, to id: PeerID) {
        guard let peer = peers[id.route], peer.id == id else { return undeliverable(id, .peerGone) }
        if !backlogs.contains(id.route) {
            switch hand(frames, to: peer) {
            case .done: return
            case .wouldBlock: break
            case .noRoute, .failed: return undeliverable(id, .peerGone)
            }
        }
        if !backlogs.append(frames, for: id.route, at: .now) {
            undeliverable(id, .peerTooSlow)
            giveUp(peer)
        }
    }

    private func hand(_ frames: Frames, to peer: Peer) -> ZeroMQSocket.Outcome {
        let route = [0] + withUnsafeBytes(of: peer.id.route.bigEndian) { [UInt8]($0) }
        let outcome = socket.send(frames, after: route)
        if outcome == .done {
            let bytes = frames.reduce(0) { $0 + $1.count }
            control.statistics.withLock {
                $0.sent += 1
                $0.sentBytes += bytes
            }
        }
        return outcome
    }

    /// libzmq does not say when a client's connection takes messages again; so those that wait are offered again.
    private func offerBacklogs() {
        guard !backlogs.isEmpty else { return }
        let now = ContinuousClock.now
        for route in backlogs.routes {
            guard let peer = peers[route] else { continue }
            let isAlive = backlogs.drain(route, at: now) { frames in
                let outcome = hand(frames, to: peer)
                if outcome == .noRoute || outcome == .failed { undeliverable(peer.id, .peerGone) }
                return outcome
            }
            if !isAlive { giveUp(peer) }
        }
    }

    private func giveUp(_ peer: Peer) {
        for _ in 0..<backlogs.remove(peer.id.route) { undeliverable(peer.id, .peerTooSlow) }
        cut(peer.descriptor, .tooSlow)
        forget(peer.id.route)
    }

    private func undeliverable(_ id: PeerID, _ reason: DropReason) {
        drop(reason)
        events.yield(.undeliverable(id, reason))
    }

    private func drop(_ reason: DropReason) {
        control.statistics.withLock { $0.dropped[reason, default: 0] += 1 }
    }

    // MARK: Connections

    private func readReports() {
        while let frames = reports.receiveAll() {
            switch ConnectionReport(frames) {
            case .accepted(let descriptor):
                let address = NetworkSocket.peerAddress(descriptor)
                let fault = connections.accepted(descriptor, from: address, at: .now)
                if let fault { cut(descriptor, fault, address: address) }
            case .disconnected(let descriptor):
                connections.disconnected(descriptor)
                if let route = routes[descriptor] { forget(route) }
            case .handshakeBroken(let reason):
                control.statistics.withLock { $0.brokenHandshakes += 1 }
                events.yield(.handshakeBroken(reason: reason))
            case .handshakeDone, .refused, .retrying, nil:
                break
            }
        }
        let count = connections.count
        control.statistics.withLock { $0.connections = count }
    }

    private func cut(_ descriptor: Int32, _ reason: CutReason, address: String? = nil) {
        guard descriptor >= 0 else { return }
        control.statistics.withLock { $0.cut[reason, default: 0] += 1 }
        events.yield(.cut(address: address ?? NetworkSocket.peerAddress(descriptor), reason))
        NetworkSocket.cut(descriptor)
    }

    /// Asking thousands of connections often would cost more than it protects.
    private var checkInterval: Int { connections.count <= 256 ? 250 : 1000 }

    private func checkConnections(isReading: Bool) {
        let now = ContinuousClock.now
        guard !connections.isIdle, now - lastCheck >= .milliseconds(checkInterval) else { return }
        lastCheck = now
        let cuts = connections.check(at: now, isReading: isReading) { NetworkSocket.receivedBytes($0) }
        for (descriptor, reason) in cuts { cut(descriptor, reason) }
    }
}
