/// Why a key could not be read, written or made.
public struct IdentityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, without a full stop.
    public let what: String
    /// The file or value concerned, if there is one.
    public let location: String?
    /// What would help.
    public let advice: String
    /// True when a key file could not be written because one is there already.
    public let isAlreadyThere: Bool
    /// True when a key file could not be read because there is none.
    public let isMissing: Bool

    /// Describes one failure.
    public init(
        what: String, location: String? = nil, advice: String, isAlreadyThere: Bool = false, isMissing: Bool = false
    ) {
        self.what = what
        self.location = location
        self.advice = advice
        self.isAlreadyThere = isAlreadyThere
        self.isMissing = isMissing
    }

    /// One sentence for people: where, what, and what to do.
    public var description: String {
        (location.map { "\($0): " } ?? "") + "\(what); \(advice)."
    }
}
