/// Reads the two spellings of a ``JoinTicket``.
enum JoinTicketText {
    static func address(_ text: String) throws(JoinTicketError) -> JoinTicket {
        var rest = Substring(text).dropFirst("apus://".count)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { throw JoinTicketError("address", "nothing follows the port") }
        let place = halves[0].hasSuffix("/") ? halves[0].dropLast() : halves[0]
        let (host, port) = try hostAndPort(place)
        var values: [String: String] = [:]
        for pair in halves[1].split(separator: "&", omittingEmptySubsequences: false) {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let value = withoutPercent(sides[1]) else {
                throw JoinTicketError("\(pair.prefix(40))", "it is not NAME=VALUE")
            }
            try set(&values, String(sides[0]), value)
        }
        return try ticket(host: host, port: port, values)
    }

    static func toml(_ text: String) throws(JoinTicketError) -> JoinTicket {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let sides = line.split(separator: "=", maxSplits: 1).map(trimmed)
            guard sides.count == 2 else {
                throw JoinTicketError("\(line.prefix(40))", "it is neither an apus:// address nor a line NAME = VALUE")
            }
            var value = sides[1]
            if value.hasPrefix("\""), value.count >= 2, value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            guard !value.contains(where: { $0 == "\"" || $0 == "\\" }) else {
                throw JoinTicketError("\(sides[0].prefix(40))", "its value is not one plain string or number")
            }
            try set(&values, String(sides[0]), String(value))
        }
        guard let host = values.removeValue(forKey: "host") else { throw JoinTicketError("host", "it is missing") }
        guard let port = values.removeValue(forKey: "port") else { throw JoinTicketError("port", "it is missing") }
        return try ticket(host: host, port: port, values)
    }

    private static func ticket(host: String, port: String, _ values: [String: String])
        throws(JoinTicketError) -> JoinTicket
    {
        guard values["host"] == nil, values["port"] == nil else {
            throw JoinTicketError("host", "it stands before the question mark")
        }
        guard let run = values["run"] else { throw JoinTicketError("run", "it is missing") }
        guard let key = values["key"] else { throw JoinTicketError("key", "it is missing") }
        guard let runBytes = bytes(hexadecimal: run) else {
            throw JoinTicketError("run", "it must be 64 hexadecimal digits")
        }
        guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(port)
        else { throw JoinTicketError("port", "it must be a number from 1 to 65535") }
        return try JoinTicket(host: host, port: number, run: runBytes, key: key, invite: values["invite"])
    }

    private static func set(_ values: inout [String: String], _ name: String, _ value: String)
        throws(JoinTicketError)
    {
        guard ["host", "port", "run", "key", "invite"].contains(name) else {
            throw JoinTicketError("\(name.prefix(40))", "this software does not know it; a newer one may")
        }
        guard values.updateValue(value, forKey: name) == nil else { throw JoinTicketError(name, "it occurs twice") }
    }

    private static func hostAndPort(_ place: Substring) throws(JoinTicketError) -> (host: String, port: String) {
        guard let colon = place.lastIndex(of: ":") else { throw JoinTicketError("port", "it is missing") }
        var host = place[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw JoinTicketError("host", "an IPv6 address must stand in brackets")
        }
        return (String(host), String(place[place.index(after: colon)...]))
    }

    /// Chat programs and shells like to turn `:` into `%3A`.
    private static func withoutPercent(_ text: Substring) -> String? {
        guard text.contains("%") else { return String(text) }
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2 else { return nil }
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard let decoded = bytes(hexadecimal: digits) else { return nil }
                result += decoded
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
