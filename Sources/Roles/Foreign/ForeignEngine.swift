import Foundation

/// A completions server that generates in place of this machine's own engine.
///
/// It computes in an arithmetic of its own, so its groups are judged by TOPLOC and margins instead of equality.
/// docs/foreign-engines.md says what the server must be able to do.
public struct ForeignEngine: Sendable, Hashable {
    /// The kinds of servers that are spoken to.
    public enum Kind: String, Sendable, CaseIterable {
        /// OpenAI's completions endpoint with token ids and hidden states.
        case openai
    }

    /// What it is declared as.
    public let kind: Kind
    /// The base address, `http://host:port/v1`, without a slash at its end.
    public let server: String
    /// The name under which the server knows the model.
    public let model: String
    /// Requests at the server at once, one for each group.
    public let requests: Int
    /// Seconds that a request may take.
    public let timeoutSeconds: Int

    /// A server under an http or https address.
    ///
    /// - Throws: A ``RoleFailure`` where the address is none.
    public init(kind: Kind, server: String, model: String, requests: Int = 4, timeoutSeconds: Int = 600) throws {
        let trimmed = server.hasSuffix("/") ? String(server.dropLast()) : server
        guard let url = URL(string: trimmed), ["http", "https"].contains(url.scheme), let host = url.host,
            !host.isEmpty, url.query == nil
        else {
            throw RoleFailure(
                .usage, "\(server) is not the address of a server.",
                advice: "Give the base of its API, for example http://127.0.0.1:8000/v1.")
        }
        guard !model.isEmpty, model.utf8.count <= 256 else {
            throw RoleFailure(.usage, "The served model's name must have 1 to 256 bytes.")
        }
        self.kind = kind
        self.server = trimmed
        self.model = model
        self.requests = requests
        self.timeoutSeconds = timeoutSeconds
    }

    /// Where groups are generated.
    var completions: String { server + "/completions" }
    /// Where the server is told to load other weights: beside the API, not in it.
    var weights: String {
        (server.hasSuffix("/v1") ? String(server.dropLast(3)) : server) + "/update_weights_from_disk"
    }
}
