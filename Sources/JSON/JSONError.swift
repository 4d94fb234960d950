/// A place where bytes stop being JSON, or stop being the JSON that was asked for.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The byte at which reading stopped, from 0.
    public let offset: Int
    /// What was expected or found there.
    public let message: String
    /// Whether the fault is a name that stands twice in one object.
    public let isDuplicate: Bool

    /// Creates an error.
    public init(offset: Int, message: String, isDuplicate: Bool = false) {
        self.offset = offset
        self.message = message
        self.isDuplicate = isDuplicate
    }

    /// One phrase with the place.
    public var description: String { "\(message) at byte \(offset)" }
}
