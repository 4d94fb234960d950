/// Why a tokenizer could not be loaded or written.
public struct TokenizerError: Error, CustomStringConvertible, Sendable, Equatable {
    /// What kind of fault it is.
    public enum Code: String, Sendable {
        case missing, malformed, unsupported, inputOutput
    }

    /// What kind of fault it is.
    public let code: Code
    /// The file or directory concerned.
    public let path: String
    /// What was found, in a sentence without a final period.
    public let detail: String

    /// Creates an error.
    public init(_ code: Code, path: String, _ detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// What, where, and what to do.
    public var description: String { "\(path): \(detail)." }
}
