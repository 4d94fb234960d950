/// Why a role stops, as one sentence for people and an exit code for scripts.
public struct RoleFailure: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure that scripts can tell apart; the raw value is the exit code (CONTRACT, sysexits).
    public enum Kind: Int32, Sendable {
        /// Wrong usage.
        case usage = 64
        /// Input data that cannot be used.
        case badInput = 65
        /// A peer that cannot be reached, or refuses.
        case unreachable = 69
        /// Our own fault, or the machine's.
        case fault = 70
    }

    /// What kind of failure it is.
    public let kind: Kind
    /// What went wrong and where.
    public let sentence: String
    /// What would help; may be empty.
    public let advice: String

    /// Describes a failure.
    public init(_ kind: Kind, _ sentence: String, advice: String = "") {
        self.kind = kind
        self.sentence = sentence
        self.advice = advice
    }

    /// What, where, and what to do.
    public var description: String { advice.isEmpty ? sentence : sentence + " " + advice }
}
