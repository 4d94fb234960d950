#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The address of a relay or static server: scheme, host, port and an optional path in front of ours.
public struct UpstreamAddress: Sendable, Hashable, CustomStringConvertible {
    /// The text without a slash at its end.
    public let description: String

    /// Reads an http or https address.
    ///
    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` for anything else.
    public init(_ text: String) throws(ShardcastError) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = url.host(), !host.isEmpty, url.query() == nil, url.fragment() == nil, url.user() == nil
        else {
            throw ShardcastError(
                .invalidConfiguration,
                "'\(text.prefix(200))' is no relay address: write http://HOST:PORT or https://HOST.")
        }
        var trimmed = text[...]
        while trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
        description = String(trimmed)
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
