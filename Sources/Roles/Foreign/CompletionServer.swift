import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1

/// Speaks HTTP with a completions server; every answer is bounded before it is read.
struct CompletionServer: Sendable {
    /// Room for an error's words or a yes.
    private static let shortBytes = 64 << 10

    /// One for the process, so that nobody has to close it: no redirects to elsewhere, and a server that is not there is
    /// told at once instead of being tried again for as long as a request may take.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    let engine: ForeignEngine

    /// Sends one request and returns the answer's bytes.
    ///
    /// - Throws: ``CompletionFault``, or a ``RoleFailure`` where nobody answers.
    func complete(_ body: Data, maximumBytes: Int) async throws -> [UInt8] {
        try await post(engine.completions, body, maximumBytes: maximumBytes)
    }

    /// Has the server load the weights in a directory, which it must see under the same path.
    func load(_ directory: String) async throws {
        let body = try JSONSerialization.data(withJSONObject: ["model_path": directory])
        let answer = try await post(engine.weights, body, maximumBytes: Self.shortBytes)
        // Servers that only answer with a status have said enough.
        guard let value = try? JSONValue.parse(answer, maximumDepth: 8), value["success"]?.bool == false else { return }
        throw CompletionFault("it could not load \(directory): \(Self.plain(value["message"]?.string ?? "no reason"))")
    }

    private func post(_ address: String, _ body: Data, maximumBytes: Int) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await Self.http.execute(
                request, timeout: .seconds(Int64(engine.timeoutSeconds)))
            guard response.status == .ok else {
                let words = try? await String(buffer: response.body.collect(upTo: Self.shortBytes))
                throw CompletionFault("\(address) answers \(response.status.code): \(Self.plain(words ?? ""))")
            }
            return [UInt8](buffer: try await response.body.collect(upTo: maximumBytes))
        } catch let fault as CompletionFault {
            throw fault
        } catch is NIOTooManyBytesError {
            throw CompletionFault("its answer is longer than the \(maximumBytes) bytes that the group can need")
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch {
            throw RoleFailure(
                .unreachable, "\(address) cannot be reached: \(Self.plain("\(error)")).",
                advice: "Start the completions server, or correct --server.")
        }
    }

    /// A stranger's words in one line.
    private static func plain(_ text: String) -> String {
        String(text.prefix(200).map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? " " : $0 })
    }
}
