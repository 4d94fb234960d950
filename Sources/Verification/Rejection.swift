/// Why a group is refused: which check, in words, with the place and both values.
public struct Rejection: Error, Sendable, Hashable, CustomStringConvertible {
    /// The check's stable name, kebab-case; metrics and ledgers use it.
    public let check: String
    /// One sentence for people.
    public let reason: String
    /// What the rejection costs the worker.
    public let severity: Severity
    /// Where it was seen.
    public let place: Place
    /// What our side holds, in words.
    public let expected: String
    /// What the worker submitted, in words.
    public let found: String

    /// What a rejection costs the worker.
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable {
        /// The group earns nothing; the worker's standing is untouched (it came too late, for instance).
        case discard
        /// The credit and the streak are lost; stake burns on the third. Bad memory looks like this too.
        case softStrike
        /// Stake burns at once: a message that contradicts itself, or numbers that the worker's own rows do not give.
        case slash
    }

    /// A place in a group, as fine as the check could tell.
    public struct Place: Sendable, Hashable, CustomStringConvertible {
        /// The sample in its group.
        public var sample: Int?
        /// The chunk in its sample.
        public var chunk: Int?
        /// The token in its sample.
        public var position: Int?

        /// Names as much as is known.
        public init(sample: Int? = nil, chunk: Int? = nil, position: Int? = nil) {
            self.sample = sample
            self.chunk = chunk
            self.position = position
        }

        /// "sample 3, chunk 0", or "the group".
        public var description: String {
            let parts = [
                sample.map { "sample \($0)" }, chunk.map { "chunk \($0)" }, position.map { "position \($0)" },
            ].compactMap { $0 }
            return parts.isEmpty ? "the group" : parts.joined(separator: ", ")
        }
    }

    /// Puts a rejection together.
    public init(
        check: String, reason: String, severity: Severity = .softStrike, place: Place = Place(),
        expected: some CustomStringConvertible, found: some CustomStringConvertible
    ) {
        self.check = check
        self.reason = reason
        self.severity = severity
        self.place = place
        self.expected = expected.description
        self.found = found.description
    }

    /// The sentence with the place and both values.
    public var description: String {
        "\(check), \(place): \(reason) Expected \(expected), found \(found)."
    }
}

extension Rejection {
    /// Two different signed payloads for one lease, each validly signed: immediate slash.
    public static func equivocation(
        first: some CustomStringConvertible, second: some CustomStringConvertible
    ) -> Rejection {
        Rejection(
            check: "equivocation", reason: "The worker signed two different groups for the same lease.",
            severity: .slash, expected: first, found: second)
    }

    /// A group whose payload was already journaled under another lease: immediate slash.
    public static func replayedGroup(
        original: some CustomStringConvertible, submitted: some CustomStringConvertible
    ) -> Rejection {
        Rejection(
            check: "replayed-group", reason: "The group was submitted before, under another lease.",
            severity: .slash, expected: original, found: submitted)
    }
}
