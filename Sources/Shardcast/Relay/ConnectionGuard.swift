import HTTPTypes
import NIOCore
import NIOHTTPTypes

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
    private let firstRequestTimeout: TimeAmount
    private var address: String?
    private var isRefusing = false
    private var hasAsked = false
    /// Pieces of responses that the kernel has not taken yet.
    private var pendingWrites = 0
    private var lastProgress = NIODeadline.now()
    private var stallCheck: Scheduled<Void>?
    private var firstRequestCheck: Scheduled<Void>?

    init(census: ConnectionCensus, metrics: RelayMetrics, board: VersionBoard, limits: RelayLimits) {
        self.census = census
        self.metrics = metrics
        self.board = board
        stallTimeout = TimeAmount(limits.stallTimeout)
        firstRequestTimeout = TimeAmount(limits.firstRequestTimeout)
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
        hasAsked = true
        // No request here has a body; one that announces or sends it is answered and left before any of it is read.
        switch unwrapInboundIn(data) {
        case .head(let request) where announcesBody(request): refuse(context)
        case .body(let bytes) where bytes.readableBytes > 0: refuse(context)
        default: context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        if pendingWrites == 0 { lastProgress = .now() }
        pendingWrites += 1
        scheduleStallCheck(context)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            bound.value.lastProgress = .now()
            bound.value.pendingWrites -= 1
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
        let address = ClientName.of(context.channel.remoteAddress)
        guard census.enter(address) else {
            metrics.countRefusedConnection()
            context.close(promise: nil)
            return
        }
        self.address = address
        metrics.connectionOpened()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        firstRequestCheck = context.eventLoop.scheduleTask(in: firstRequestTimeout) {
            let (guardian, context) = bound.value
            guard !guardian.hasAsked else { return }
            guardian.metrics.countCutConnection()
            context.close(promise: nil)
        }
    }

    private func leave(_ context: ChannelHandlerContext) {
        stallCheck?.cancel()
        stallCheck = nil
        firstRequestCheck?.cancel()
        firstRequestCheck = nil
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
            guard guardian.pendingWrites > 0 else { return }
            if NIODeadline.now() - guardian.lastProgress >= guardian.stallTimeout {
                guardian.metrics.countCutConnection()
                context.close(promise: nil)
            } else {
                guardian.scheduleStallCheck(context)
            }
        }
    }
}
