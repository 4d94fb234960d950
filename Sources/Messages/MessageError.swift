/// Why a message from the other side was not accepted.
public struct MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of fault, stable enough to count by.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// There is no frame, or there are more than the body announces.
        case frameCount = "frame-count"
        /// A frame or the whole message is larger than agreed.
        case tooLarge = "too-large"
        /// The bytes are no protobuf message of this schema.
        case malformed = "malformed"
        /// A field is not in this schema version.
        case unknownField = "unknown-field"
        /// A field occurs more often than it may.
        case tooMany = "too-many"
        /// A field's value is outside its range.
        case outOfRange = "out-of-range"
        /// A field that must be there is not.
        case missing = "missing"
        /// The other side speaks a newer schema.
        case schemaTooNew = "schema-too-new"
        /// The other side speaks an older schema.
        case schemaTooOld = "schema-too-old"
    }

    /// The kind of fault.
    public let code: Code
    /// Where in the message: field names joined by dots, or the frame.
    public let location: String
    /// What is wrong there, without a full stop.
    public let what: String

    /// Describes one fault.
    public init(_ code: Code, at location: String, _ what: String) {
        self.code = code
        self.location = location
        self.what = what
    }

    /// One sentence for people.
    public var description: String { "\(location): \(what)." }

    /// What would help, for the other side to read.
    public var advice: String {
        switch code {
        case .schemaTooNew: "upgrade this side, or join with the software that the run names"
        case .schemaTooOld: "the other side must upgrade its software"
        default: "the sender's software is faulty or does not follow the schema"
        }
    }
}
