/// Everything that a contributor needs to reach a run: `apus://HOST:PORT/?run=ID&key=apus1:…[&invite=TOKEN]`.
public struct JoinTicket: Hashable, Sendable {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    public let host: String
    /// The orchestrator's port.
    public let port: UInt16
    /// The run's id, 32 bytes.
    public let run: [UInt8]
    /// The orchestrator's public keys, one `apus1:` line.
    public let key: String
    /// What an invited contributor shows, if the run asks for it.
    public let invite: String?

    /// Joins the parts.
    ///
    /// - Throws: ``JoinTicketError`` that names the part which is not acceptable.
    public init(host: String, port: Int, run: [UInt8], key: String, invite: String? = nil) throws(JoinTicketError) {
        guard Self.isHost(host) else { throw JoinTicketError("host", "it is no host name or address") }
        guard let number = UInt16(exactly: port), number > 0 else {
            throw JoinTicketError("port", "it must be a number from 1 to 65535")
        }
        guard run.count == 32 else { throw JoinTicketError("run", "it must be 64 hexadecimal digits") }
        guard Self.isKey(key) else {
            throw JoinTicketError("key", "it must be one line apus1:<64 hexadecimal digits>:<64 hexadecimal digits>")
        }
        if let invite, !Self.isInvite(invite) {
            throw JoinTicketError("invite", "it must be 1 to 128 letters, digits, dots, dashes, underscores or tildes")
        }
        self.host = host
        self.port = number
        self.run = run
        self.key = key
        self.invite = invite
    }

    /// Reads an `apus://` address, or the same as TOML.
    public init(_ text: String) throws(JoinTicketError) {
        guard text.utf8.count <= 4096 else { throw JoinTicketError("address", "it is too long") }
        let trimmed = text.drop { $0.isWhitespace }
        if trimmed.hasPrefix("apus://") {
            self = try JoinTicketText.address(String(trimmed))
        } else {
            self = try JoinTicketText.toml(text)
        }
    }

    /// The endpoint in ZeroMQ's spelling.
    public var endpoint: String { "tcp://\(bracketedHost):\(port)" }

    /// The `apus://` address.
    public var url: String {
        let tail = invite.map { "&invite=\($0)" } ?? ""
        return "apus://\(bracketedHost):\(port)/?run=\(JoinTicketText.hexadecimal(run))&key=\(key)\(tail)"
    }

    /// The same as TOML.
    public var toml: String {
        var lines = ["host = \"\(host)\"", "port = \(port)", "run = \"\(JoinTicketText.hexadecimal(run))\""]
        lines.append("key = \"\(key)\"")
        if let invite { lines.append("invite = \"\(invite)\"") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }
}

extension JoinTicket: CustomStringConvertible {
    /// The `apus://` address.
    public var description: String { url }
}

/// Why an address does not lead to a run.
public struct JoinTicketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The part that is wrong.
    public let part: String
    /// What is wrong with it, without a full stop.
    public let what: String

    /// Describes one fault.
    public init(_ part: String, _ what: String) {
        self.part = part
        self.what = what
    }

    /// One sentence for people.
    public var description: String {
        "The join address is not usable (\(part): \(what)); "
            + "copy it whole from the run's page: apus://HOST:PORT/?run=ID&key=apus1:…"
    }
}

extension JoinTicket {
    private static func isHost(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 255 else { return false }
        let isAddress6 = text.contains(":")
        return text.utf8.allSatisfy { character in
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): true
            case UInt8(ascii: ":"): true
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): !isAddress6
            case UInt8(ascii: "-"), UInt8(ascii: "_"): !isAddress6
            default: false
            }
        }
    }

    private static func isKey(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return text.utf8.count == 135 && parts.count == 3 && parts[0] == "apus1"
            && parts[1...].allSatisfy { $0.utf8.count == 64 && JoinTicketText.bytes(hexadecimal: $0) != nil }
    }

    private static func isInvite(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { character in
                switch character {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"): true
                default: false
                }
            }
    }
}
