/// A file of measurements that cannot be written.
public struct TelemetryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file.
    public var path: String
    /// What happened and what to do.
    public var message: String

    /// An error from its parts.
    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    /// One sentence.
    public var description: String { "\(path): \(message)" }
}
