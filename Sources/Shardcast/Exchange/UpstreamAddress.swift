#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The address of a relay or static server: scheme, host, port and an optional path in front of ours.
///
/// A token may stand before the host, as in `https://TOKEN@relay.example`, so that lists of relays carry theirs.
public struct UpstreamAddress: Sendable, Hashable, CustomStringConvertible {
    /// The text without a token and without a slash at its end.
    public let description: String
    /// What to show there.
    public let token: JoinToken?

    /// Reads an http or https address.
    ///
    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` for anything else.
    public init(_ text: String) throws(ShardcastError) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = url.host(), !host.isEmpty, url.query() == nil, url.fragment() == nil, url.password() == nil,
            let authority = text.firstRange(of: "://")?.upperBound
        else {
            // Without what stands before an @, which may be a token.
            let shown = text.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            throw ShardcastError(
                .invalidConfiguration,
                "'\(shown.prefix(200))' is no relay address: write http://HOST:PORT or https://HOST, "
                    + "with TOKEN@ before the host where the relay asks for a token.")
        }
        var place = text[authority...]
        if let user = url.user() {
            token = try JoinToken(user)
            guard let at = place.firstIndex(of: "@") else {
                throw ShardcastError(.invalidConfiguration, "'\(host)' is no relay address: its token cannot be read.")
            }
            place = place[place.index(after: at)...]
        } else {
            token = nil
        }
        while place.hasSuffix("/") { place = place.dropLast() }
        description = "\(text[..<authority])\(place)"
    }

    private init(_ description: String, _ token: JoinToken?) {
        self.description = description
        self.token = token
    }

    /// The same address with a token, unless it has one of its own.
    public func showing(_ token: JoinToken?) -> UpstreamAddress {
        UpstreamAddress(description, self.token ?? token)
    }

    /// Reads a list separated by commas, as command lines have it.
    public static func list(_ text: String) throws(ShardcastError) -> [UpstreamAddress] {
        var addresses: [UpstreamAddress] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let trimmed = part.drop { $0 == " " }
            let address = try UpstreamAddress(String(trimmed))
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}
