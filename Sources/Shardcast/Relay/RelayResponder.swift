import Hummingbird
import Identity
import Logging
import NIOCore

/// What the responder must know about the connection of a request.
struct RelayContext: InitializableFromSource {
    let connection: ObjectIdentifier
    let client: String

    init(source: ApplicationRequestContextSource) {
        connection = ObjectIdentifier(source.channel)
        client = ClientName.of(source.channel.remoteAddress)
    }
}

/// Answers the five kinds of requests that a relay knows; everything else is 404 or 400.
struct RelayResponder: HTTPResponder {
    let source: any WeightSource
    let metrics: RelayMetrics
    let allowance: ClientAllowance
    let tokens: JoinTokens?
    let longestWait: Duration
    let bytesReceived: @Sendable () -> UInt64?
    let logger: Logger

    func respond(to request: Request, context: RelayContext) async throws -> Response {
        let target = RelayTarget(path: request.head.path ?? "")
        var response: Response
        do throws(ShardcastError) {
            if let stop = refusal(of: target, request, context) {
                response = stop
            } else {
                response = try await answer(target, request, context)
            }
        } catch {
            metrics.countFailure(error.kind)
            logger.warning("\(error.message)")
            // Details stay in our log: paths and upstreams are not for strangers.
            response = text(.serviceUnavailable, "This relay cannot deliver that now (\(error.kind.rawValue)).")
            response.headers[.retryAfter] = "1"
        }
        metrics.countRequest(target.route, status: response.status.code)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// What keeps a client from being answered at all.
    private func refusal(of target: RelayTarget, _ request: Request, _ context: RelayContext) -> Response? {
        guard allowance.admits(context.client) else {
            var response = text(.tooManyRequests, "Too many requests from this address; ask again in a second.")
            response.headers[.retryAfter] = "1"
            return response
        }
        guard let tokens, target != .health, !tokens.accepts(request.headers[.authorization]) else { return nil }
        // One request is paid for; a guess costs more.
        _ = allowance.admits(context.client, cost: ClientAllowance.guessCost - 1)
        metrics.countFailure(.unauthorized)
        var response = text(.unauthorized, "This relay serves those who show its token.")
        response.headers[.wwwAuthenticate] = "Bearer"
        return response
    }

    /// A shared cache in front must not hand out what a token was shown for.
    private var audience: String { tokens == nil ? "public" : "private" }

    private func answer(
        _ target: RelayTarget, _ request: Request, _ context: RelayContext
    ) async throws(ShardcastError) -> Response {
        switch target {
        case .unknown: return text(.notFound, "There is nothing here.")
        case .malformed(let reason): return text(.badRequest, "Bad request: \(reason).")
        default: break
        }
        guard request.method == .get || request.method == .head else {
            var response = text(.methodNotAllowed, "Only GET and HEAD.")
            response.headers[.allow] = "GET, HEAD"
            return response
        }
        switch target {
        case .latest(let after, let wait):
            return await latest(after: after, wait: wait, request, context)
        case .manifest(let version):
            guard let bytes = try await source.manifest(version) else {
                return text(.notFound, "Version \(version) is not here.")
            }
            return manifest(bytes, "\(audience), max-age=31536000, immutable", request)
        case .shard(let hash):
            switch try await source.shard(hash) {
            case .absent: return text(.notFound, "This shard is not here.")
            case .onItsWay: return text(.accepted, "This shard is on its way here; ask again.")
            case .file(let file):
                return try await ShardResponse(
                    file: file, hash: hash, metrics: metrics, allowance: allowance, client: context.client,
                    audience: audience
                ).response(to: request)
            }
        case .health: return health()
        case .metrics:
            let body = metrics.text(
                version: source.board.newest?.manifest.version, waiters: source.board.waiterCount,
                bytesReceived: bytesReceived())
            return plain(.ok, body, type: "text/plain; version=0.0.4")
        case .unknown, .malformed: return text(.notFound, "There is nothing here.")
        }
    }

    private func latest(
        after: UInt64?, wait: UInt64?, _ request: Request, _ context: RelayContext
    ) async -> Response {
        let longest = longestWait.components.seconds * 1000
        let duration = Duration.milliseconds(min(Int64(clamping: wait ?? 0), longest))
        switch await source.board.newer(than: after, within: duration, owner: context.connection) {
        case .newer(let signed): return manifest(signed.bytes, "no-cache", request)
        case .nothingNewer, .failed:
            return source.board.newest == nil
                ? text(.notFound, "No version is published yet.") : Response(status: .noContent)
        case .tooManyWaiters:
            var response = text(.serviceUnavailable, "Too many clients are waiting here; ask another relay.")
            response.headers[.retryAfter] = "1"
            return response
        }
    }

    private func manifest(_ bytes: [UInt8], _ caching: String, _ request: Request) -> Response {
        let tag = "\"\(SHA256.hash(bytes).hex)\""
        if request.headers[.ifNoneMatch] == tag {
            return Response(status: .notModified, headers: [.eTag: tag, .cacheControl: caching])
        }
        metrics.countSent(request.method == .head ? 0 : bytes.count)
        return Response(
            status: .ok,
            headers: [.contentType: "application/octet-stream", .eTag: tag, .cacheControl: caching],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func health() -> Response {
        let newest = source.board.newest?.manifest
        let complaint = source.complaint
        let fields = [
            "\"status\":\"\(complaint == nil ? "ok" : "failing")\"",
            "\"version\":\(newest.map { "\($0.version)" } ?? "null")",
            "\"run\":\(newest.map { "\"\($0.run.hex)\"" } ?? "null")",
            "\"reason\":\(complaint.map { "\"\($0.kind.rawValue)\"" } ?? "null")",
        ]
        return plain(
            complaint == nil ? .ok : .serviceUnavailable, "{\(fields.joined(separator: ","))}\n",
            type: "application/json")
    }

    private func text(_ status: HTTPResponse.Status, _ sentence: String) -> Response {
        plain(status, sentence + "\n", type: "text/plain; charset=utf-8")
    }

    private func plain(_ status: HTTPResponse.Status, _ body: String, type: String) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}
