import Hummingbird
import Identity
import NIOCore

/// A shard, or a part of it, as a response that holds at most one piece of it in memory.
struct ShardResponse: Sendable {
    /// What is read and written at a time.
    private static let pieceBytes: UInt64 = 256 << 10

    let file: OpenFile
    let hash: Hash256
    let metrics: RelayMetrics
    let allowance: ClientAllowance
    let client: String
    /// Who may keep a copy: `public` or `private`.
    let audience: String

    func response(to request: Request) async throws(ShardcastError) -> Response {
        let tag = "\"\(hash.hex)\""
        var headers: HTTPFields = [
            .eTag: tag, .cacheControl: "\(audience), max-age=31536000, immutable", .acceptRanges: "bytes",
            .contentType: "application/octet-stream",
        ]
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        let length = try file.size
        // If-Range with another tag asks for the whole, so that parts of two objects are never joined.
        let isSame = request.headers[.ifRange].map { $0 == tag } ?? true
        switch ByteRange(header: isSame ? request.headers[.range] : nil, length: length) {
        case .whole:
            return await body(0..<length, .ok, headers, isHead: request.method == .head)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
            return await body(range, .partialContent, headers, isHead: request.method == .head)
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(length)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
    }

    private func body(
        _ range: Range<UInt64>, _ status: HTTPResponse.Status, _ headers: HTTPFields, isHead: Bool
    ) async -> Response {
        let length = Int(range.upperBound - range.lowerBound)
        if isHead {
            var headers = headers
            headers[.contentLength] = "\(length)"
            return Response(status: status, headers: headers)
        }
        let (file, metrics, allowance, client) = (file, metrics, allowance, client)
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: length) { writer in
                var position = range.lowerBound
                while position < range.upperBound {
                    let piece = position..<min(position + Self.pieceBytes, range.upperBound)
                    let wait = allowance.delay(client, bytes: piece.count)
                    if wait > .zero { try await Task.sleep(for: wait) }
                    let buffer = try await onDiskThread { try Self.read(file, piece) }
                    try await writer.write(buffer)
                    metrics.countSent(buffer.readableBytes)
                    position = piece.upperBound
                }
                try await writer.finish(nil)
            })
    }

    /// - Throws: ``ShardcastError`` if the file is shorter than it was, which ends the connection.
    private static func read(_ file: OpenFile, _ range: Range<UInt64>) throws -> ByteBuffer {
        let count = Int(range.upperBound - range.lowerBound)
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: space[..<count]), at: range.lowerBound)
        }
        guard buffer.readableBytes == count else {
            throw ShardcastError(.storage, "\(file.path) became shorter while it was served.")
        }
        return buffer
    }
}
