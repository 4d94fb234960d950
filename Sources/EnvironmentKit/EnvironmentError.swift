/// What went wrong in an environment, a reward or a dataset, where, and what to do about it.
public struct EnvironmentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure this is, for code that has to choose.
    public struct Code: Sendable, Hashable {
        let name: String

        /// An option that is unknown, of the wrong type or out of range.
        public static let option = Code(name: "option")
        /// No environment or reward of this name.
        public static let unknownName = Code(name: "unknown-name")
        /// No problem of the wanted split could be drawn.
        public static let noTask = Code(name: "no-task")
        /// The grader failed; the completion has no reward.
        public static let grader = Code(name: "grader")
        /// A dataset that cannot be read.
        public static let dataset = Code(name: "dataset")
        /// An environment program that crashed, hung or broke the protocol.
        public static let program = Code(name: "program")
    }

    /// The kind of failure.
    public var code: Code
    /// Where: an environment id, `file:line`, or a program.
    public var place: String
    /// What happened and what to do, in one or two sentences.
    public var message: String

    /// An error from its parts.
    public init(_ code: Code, at place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    /// One sentence for standard error.
    public var description: String { "\(place): \(message)" }
}
