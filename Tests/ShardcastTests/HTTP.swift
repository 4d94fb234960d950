import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

/// A whole answer, for looking at.
struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

func get(_ url: String, method: HTTPMethod = .GET, headers: [(String, String)] = []) async throws -> Answer {
    var request = HTTPClientRequest(url: url)
    request.method = method
    request.headers = HTTPHeaders(headers)
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
    let body = try await response.body.collect(upTo: 64 << 20)
    return Answer(status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
}

/// Sends raw bytes on a fresh connection and returns what comes back until the server closes or `patience` is over.
///
/// - Returns: The answer, and whether the server closed the connection.
func raw(port: Int, _ pieces: [[UInt8]], pause: Duration = .zero, patience: Duration = .seconds(60)) async throws -> (
    String, isClosed: Bool
) {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        try await withThrowingTaskGroup(of: (String, Bool)?.self) { group in
            group.addTask {
                var text = ""
                // A reset is a close as well.
                do { for try await piece in inbound { text += String(buffer: piece) } } catch {}
                return (text, !Task.isCancelled)
            }
            group.addTask {
                for piece in pieces {
                    guard (try? await outbound.write(ByteBuffer(bytes: piece))) != nil else { return nil }
                    try await Task.sleep(for: pause)
                }
                try await Task.sleep(for: patience)
                return ("", false)
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            return ("", true)
        }
    }
}
