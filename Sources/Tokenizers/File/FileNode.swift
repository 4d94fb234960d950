import JSON

/// A value of tokenizer.json together with where it stands, for errors that say so.
struct FileNode {
    let value: JSONValue
    /// The file.
    let path: String
    /// The place in the file, like `pre_tokenizer.pretokenizers[0]`.
    let place: String

    /// Whether the value is null.
    var isNull: Bool { value == .null }

    /// An error for a value that is not what it must be.
    func malformed(_ detail: String) -> TokenizerError {
        TokenizerError(.malformed, path: path, "\(place) \(detail)")
    }

    /// An error for something that this version does not do.
    func unsupported(_ detail: String) -> TokenizerError {
        TokenizerError(
            .unsupported, path: path, "\(place) \(detail), which this version does not do and will not guess")
    }

    /// Fails if the value is no object or has a member that is not in the list.
    func expectMembers(_ names: Set<String>) throws(TokenizerError) {
        guard let object = value.object else { throw malformed("is \(value.kind), not an object") }
        for member in object where !names.contains(member.name) {
            throw unsupported("has the member \"\(member.name.prefix(60))\"")
        }
    }

    /// A member, null where it is missing.
    func member(_ name: String) -> FileNode {
        FileNode(value: value[name] ?? .null, path: path, place: place.isEmpty ? name : "\(place).\(name)")
    }

    /// The elements of a list.
    ///
    /// - Parameter limit: how many there may be; what every text passes through one by one is a short list.
    func elements(limit: Int = 64) throws(TokenizerError) -> [FileNode] {
        guard let elements = value.array else { throw malformed("is \(value.kind), not a list") }
        guard elements.count <= limit else { throw malformed("has \(elements.count) elements, more than \(limit)") }
        return elements.enumerated().map { FileNode(value: $0.element, path: path, place: "\(place)[\($0.offset)]") }
    }

    /// A text.
    func text() throws(TokenizerError) -> String {
        guard let text = value.string else { throw malformed("is \(value.kind), not a text") }
        return text
    }

    /// A truth value; `fallback` where it is missing or null, if there is one.
    func flag(or fallback: Bool? = nil) throws(TokenizerError) -> Bool {
        if isNull, let fallback { return fallback }
        guard let flag = value.bool else { throw malformed("is \(value.kind), not true or false") }
        return flag
    }

    /// A whole number in a range.
    func number(in range: ClosedRange<Int>) throws(TokenizerError) -> Int {
        guard let number = value.integer, range.contains(number) else {
            throw malformed("is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A text of exactly one scalar, as its bytes.
    func sign() throws(TokenizerError) -> [UInt8] {
        let text = try text()
        guard text.unicodeScalars.count == 1 else { throw malformed("is not exactly one character") }
        return Array(text.utf8)
    }

    /// A text to replace: short, because it is searched for everywhere, in the whole vocabulary at load.
    func replaceable() throws(TokenizerError) -> [UInt8] {
        let pattern = try member("pattern").pattern()
        guard !pattern.isExpression else { throw unsupported("replaces by the pattern \(pattern.text.prefix(200))") }
        let bytes = Array(pattern.text.utf8)
        guard bytes.count <= 256 else { throw malformed("replaces a text of more than 256 bytes") }
        return bytes
    }

    /// The text of a pattern that is written `{"String": …}`; expressions are for the caller.
    func pattern() throws(TokenizerError) -> (text: String, isExpression: Bool) {
        try expectMembers(["String", "Regex"])
        let (plain, expression) = (member("String"), member("Regex"))
        guard plain.isNull != expression.isNull else { throw malformed("must have either String or Regex") }
        let text = try (plain.isNull ? expression : plain).text()
        guard !text.isEmpty else { throw unsupported("is an empty pattern") }
        return (text, plain.isNull)
    }
}
