/// A place in a template's source, counted from 1.
struct SourcePosition: Sendable, Equatable {
    var line: Int32
    var column: Int32

    static let start = SourcePosition(line: 1, column: 1)
}
