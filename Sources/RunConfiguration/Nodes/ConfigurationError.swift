/// Everything that is wrong with a run file, in one error, so that it can be mended in one go.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// The key, such as `training.learning_rate`; empty if the file as a whole is meant.
        public var path: String
        /// Where it was written, if it was.
        public var origin: ConfigurationOrigin?
        /// What is wrong and what to do.
        public var message: String

        /// A problem from its parts.
        public init(_ path: String, origin: ConfigurationOrigin? = nil, _ message: String) {
            self.path = path
            self.origin = origin
            self.message = message
        }

        /// `file:line: key: message`.
        public var description: String {
            [origin?.description, path.isEmpty ? nil : path, message].compactMap { $0 }.joined(separator: ": ")
        }
    }

    /// The problems, in the order of the file.
    public var problems: [Problem]

    /// An error with these problems.
    public init(_ problems: [Problem]) {
        self.problems = problems
    }

    /// An error with one problem.
    init(_ path: String, origin: ConfigurationOrigin? = nil, _ message: String) {
        problems = [Problem(path, origin: origin, message)]
    }

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
