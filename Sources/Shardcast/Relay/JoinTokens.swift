import Identity

/// The tokens that a relay accepts.
///
/// Kept and compared as hashes, all of them every time, so that no answer comes sooner for a better guess.
public struct JoinTokens: Sendable {
    private static let maximumBytes: UInt64 = 256 << 10
    private static let scheme = "bearer "

    private let digests: [Hash256]

    /// Accepts these.
    public init(_ tokens: [JoinToken]) {
        digests = tokens.map { SHA256.hash(Array($0.text.utf8)) }
    }

    /// Reads a file of tokens, one a line; empty lines and what follows `#` do not count.
    ///
    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` if there is no file, none in it, or a line that is no token.
    public static func tokens(inFile path: String) throws(ShardcastError) -> [JoinToken] {
        guard let bytes = try OpenFile.reading(path)?.contents(upTo: maximumBytes) else {
            throw ShardcastError(.invalidConfiguration, "\(path) is no file of tokens: it is not there, or too large.")
        }
        var tokens: [JoinToken] = []
        let lines = String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            var word = line.prefix { $0 != "#" }.drop(while: \.isWhitespace)
            while word.last?.isWhitespace == true { word.removeLast() }
            if word.isEmpty { continue }
            do throws(ShardcastError) {
                tokens.append(try JoinToken(word))
            } catch {
                throw ShardcastError(.invalidConfiguration, "\(path), line \(number + 1): \(error.message)")
            }
        }
        guard !tokens.isEmpty else {
            throw ShardcastError(.invalidConfiguration, "\(path) holds no token: write one a line.")
        }
        return tokens
    }

    /// Whether an Authorization header shows one of the tokens.
    func accepts(_ header: String?) -> Bool {
        guard let header, header.utf8.count <= 512, header.lowercased().hasPrefix(Self.scheme) else { return false }
        let shown = SHA256.hash(Array(header.dropFirst(Self.scheme.count).utf8)).bytes
        var isAccepted: UInt8 = 0
        for digest in digests {
            var difference: UInt8 = 0
            for (left, right) in zip(digest.bytes, shown) { difference |= left ^ right }
            isAccepted |= difference == 0 ? 1 : 0
        }
        return isAccepted == 1
    }
}
