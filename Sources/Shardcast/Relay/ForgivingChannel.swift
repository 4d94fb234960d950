import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import Synchronization

/// HTTP/1 connections that may be dropped between being accepted and being served.
///
/// An asynchronous channel that is made, but never served, ends the process ("Deinited NIOAsyncWriter without calling
/// finish()", swift-nio issues 2637 and 3481), and that happens when a server stops while somebody connects. Here the
/// last reference to an accepted connection closes it properly.
struct ForgivingChannel: ServerChildChannel {
    /// An accepted connection.
    final class Accepted: ServerChildChannelValue {
        private let http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        private let isServed = Atomic<Bool>(false)

        init(_ http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>) { self.http = http }

        deinit {
            guard !isServed.load(ordering: .relaxed) else { return }
            // An error here is a connection that is closed already, which is all that is wanted.
            Task { [http] in try? await http.executeThenClose { _, _ in } }
        }

        var channel: any Channel { http.channel }

        /// The connection, for the one who will serve it whatever happens.
        func take() -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
            isServed.store(true, ordering: .relaxed)
            return http
        }
    }

    private let http: HTTP1Channel

    init(_ http: HTTP1Channel) { self.http = http }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Accepted> {
        http.setup(channel: channel, logger: logger).map { Accepted($0) }
    }

    func handle(value accepted: Accepted, logger: Logger) async {
        await http.handle(value: accepted.take(), logger: logger)
    }
}

extension HTTPServerBuilder {
    /// HTTP/1 without the moment in which a stopping server and a new connection end the process.
    static func forgivingHTTP1(_ configuration: HTTP1Channel.Configuration = .init()) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            ForgivingChannel(HTTP1Channel(responder: responder, configuration: configuration))
        }
    }
}
