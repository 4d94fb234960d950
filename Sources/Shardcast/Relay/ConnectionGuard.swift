import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// How many connections each address has open.
final class ConnectionCensus: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    /// False if the address has its share already.
    func enter(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < maximum else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    func leave(_ address: String) {
        counts.withLock { counts in
            let left = counts[address, default: 0] - 1
            counts[address] = left > 0 ? left : nil
        }
    }
}

/// Keeps one connection within its share: of connections, of bodies (none), and of patience while it does not read.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let census: ConnectionCensus
    private let metrics: RelayMetrics
    private let board: VersionBoard
    private let stallTimeout: TimeAmount
    private var address: String?
    private var isRefusing = false
    private var responsesInProgress = 0
    private var lastProgress = NIODeadline.now()
    private var stallCheck: Scheduled<Void>?

    init(census: ConnectionCensus, metrics: RelayMetrics, board: VersionBoard, stallTimeout: TimeAmount) {
        self.census = census
        self.metrics = metrics
        self.board = board
        self.stallTimeout = stallTimeout
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { register(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        register(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave(context) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that closed its half is not waiting any more.
        if case .inputClosed? = event as? ChannelEvent { board.abandon(owner: ObjectIdentifier(context.channel)) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefusing else { return }
        // No request here has a body; one that announces or sends it is answered and left before any of it is read.
        switch unwrapInboundIn(data) {
        case .head(let request) where announcesBody(request): refuse(context)
        case .body(let bytes) where bytes.readableBytes > 0: refuse(context)
        default: context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        let isEnd: Bool
        switch unwrapOutboundIn(data) {
        case .head:
            responsesInProgress += 1
            lastProgress = .now()
            scheduleStallCheck(context)
            isEnd = false
        case .body: isEnd = false
        case .end: isEnd = true
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            bound.value.lastProgress = .now()
            if isEnd { bound.value.responsesInProgress -= 1 }
        }
        context.write(data, promise: promise)
    }

    private func announcesBody(_ request: HTTPRequest) -> Bool {
        if request.headerFields[.transferEncoding] != nil { return true }
        guard let length = request.headerFields[.contentLength] else { return false }
        return length != "0"
    }

    private func refuse(_ context: ChannelHandlerContext) {
        isRefusing = true
        metrics.countRequest(.other, status: 413)
        let head = HTTPResponse(status: .contentTooLarge, headerFields: [.connection: "close", .contentLength: "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let done = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        done.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
    }

    private func register(_ context: ChannelHandlerContext) {
        guard address == nil else { return }
        let address = context.channel.remoteAddress?.ipAddress ?? "local"
        guard census.enter(address) else {
            metrics.countRefusedConnection()
            context.close(promise: nil)
            return
        }
        self.address = address
        metrics.connectionOpened()
    }

    private func leave(_ context: ChannelHandlerContext) {
        stallCheck?.cancel()
        stallCheck = nil
        guard let address else { return }
        self.address = nil
        census.leave(address)
        metrics.connectionClosed()
        board.abandon(owner: ObjectIdentifier(context.channel))
    }

    private func scheduleStallCheck(_ context: ChannelHandlerContext) {
        guard stallCheck == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stallCheck = context.eventLoop.scheduleTask(deadline: lastProgress + stallTimeout) {
            let (guardian, context) = bound.value
            guardian.stallCheck = nil
            guard guardian.responsesInProgress > 0 else { return }
            if NIODeadline.now() - guardian.lastProgress >= guardian.stallTimeout {
                guardian.metrics.countCutConnection()
                context.close(promise: nil)
            } else {
                guardian.scheduleStallCheck(context)
            }
        }
    }
}
