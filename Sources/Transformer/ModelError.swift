/// Why a model cannot be read, written or run.
public struct ModelError: Error, CustomStringConvertible, Sendable, Equatable {
    /// What kind of fault it is.
    public enum Code: String, Sendable, CaseIterable {
        /// A configuration file is not readable as one.
        case malformedConfiguration
        /// The configuration asks for something that this version does not compute.
        case unsupported
        /// Weights and configuration disagree.
        case tensorMismatch
        /// A value that would be committed is NaN or infinite.
        case notFinite
        /// The key-value cache has no free page left.
        case cacheFull
        /// A request does not fit the model.
        case invalidRequest
        /// The disk refused.
        case inputOutput
    }

    /// What kind of fault it is.
    public let code: Code
    /// The file, directory or operation concerned.
    public let place: String
    /// What was found and what to do, in a sentence without a final period.
    public let detail: String

    /// Creates an error.
    public init(_ code: Code, place: String, _ detail: String) {
        self.code = code
        self.place = place
        self.detail = detail
    }

    /// What, where, and what to do.
    public var description: String { "\(place): \(detail)." }
}
