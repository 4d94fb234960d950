import AsyncHTTPClient
import Foundation
import Messages
import NIOCore

extension JoinTicket {
    /// The largest ticket that is read.
    private static let maximumBytes = 64 << 10

    /// Reads a ticket file.
    ///
    /// - Throws: A ``RoleFailure`` or `JoinTicketError`.
    public init(reading path: String) throws {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.maximumBytes else {
            throw RoleFailure(
                .badInput, "There is no join ticket at \(path).",
                advice: "Start the run first, or give the apus:// address that the lab published.")
        }
        try self.init(String(decoding: data, as: UTF8.self))
    }

    /// The ticket behind what a person typed: an `apus://` address, a file, or an http(s) address of the same as TOML.
    public init(resolving text: String) async throws {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            do {
                let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: text), timeout: .seconds(20))
                guard response.status == .ok else {
                    throw RoleFailure(
                        .unreachable, "\(text) answers \(response.status).", advice: "Check the join address.")
                }
                let body = try await response.body.collect(upTo: Self.maximumBytes)
                try self.init(String(buffer: body))
            } catch let failure as RoleFailure {
                throw failure
            } catch let error as JoinTicketError {
                throw error
            } catch {
                throw RoleFailure(
                    .unreachable, "\(text) cannot be reached.", advice: "Check the address, and that the lab is up.")
            }
        } else if text.hasPrefix("apus://") {
            try self.init(text)
        } else {
            try self.init(reading: text)
        }
    }
}
