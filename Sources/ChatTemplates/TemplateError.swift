/// Why a chat template could not be read or rendered.
///
/// Templates come from the model directories of strangers: whatever they hold, the answer is a text or one of these.
public struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, for those who treat some causes differently.
    public enum Kind: Sendable, Equatable {
        /// The template is not Jinja.
        case syntax
        /// A value was used that is not defined.
        case undefined
        /// An operation does not fit its values.
        case value
        /// The template itself refused the chat with `raise_exception`.
        case raised
        /// The template asks for more work, text or nesting than is allowed.
        case limit
        /// Jinja has it, this interpreter does not.
        case unsupported
        /// The template renders earlier turns differently once a new turn follows.
        case rewritesHistory
        /// What was given to the template, or the file that it lies in, is at fault.
        case input
    }

    /// The cause.
    public let kind: Kind
    /// What went wrong, in one sentence without its place.
    public let message: String
    /// Where in the template, counted from 1; nil where no place is to blame.
    public let line: Int?
    /// The column of that line in Unicode scalars, counted from 1.
    public let column: Int?

    /// An error without a place in a template.
    public init(_ kind: Kind, _ message: String) {
        self.init(kind, message, at: nil)
    }

    init(_ kind: Kind, _ message: String, at position: SourcePosition?) {
        self.kind = kind
        self.message = message
        line = position.map { Int($0.line) }
        column = position.map { Int($0.column) }
    }

    /// The same error with a place, unless it has one.
    func located(at position: SourcePosition) -> TemplateError {
        line == nil ? TemplateError(kind, message, at: position) : self
    }

    /// The sentence with its place.
    public var description: String {
        guard let line, let column else { return "chat template: \(message)" }
        return "chat template, line \(line), column \(column): \(message)"
    }
}
