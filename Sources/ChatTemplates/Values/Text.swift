/// A Python string: Unicode scalars with constant-time indexing.
///
/// Not `String`, whose characters are grapheme clusters and whose equality is canonical equivalence; templates count,
/// slice and compare scalars.
struct Text: Sendable {
    var scalars: [Unicode.Scalar]
    /// Whether `safe` or `escape` made it: adding to such a text escapes what is added.
    var isMarkup = false

    init(_ scalars: [Unicode.Scalar] = []) {
        self.scalars = scalars
    }

    init(_ scalars: some Sequence<Unicode.Scalar>) {
        self.scalars = Array(scalars)
    }

    init(_ string: String) {
        scalars = Array(string.unicodeScalars)
    }

    /// The same text, marked where another one is.
    func marked(as other: Text) -> Text {
        var text = self
        text.isMarkup = other.isMarkup
        return text
    }

    var count: Int { scalars.count }
    var isEmpty: Bool { scalars.isEmpty }

    /// The text as Swift has it.
    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}

extension Text: Hashable, Comparable, ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self.init(value) }

    static func == (left: Text, right: Text) -> Bool { left.scalars == right.scalars }

    func hash(into hasher: inout Hasher) { hasher.combine(scalars) }

    /// The order of Python: by scalar values.
    static func < (left: Text, right: Text) -> Bool { left.scalars.lexicographicallyPrecedes(right.scalars) }
}

extension Unicode.Scalar {
    /// What `str.isspace` and the regular expression `\s` call white space.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            return true
        default: return false
        }
    }

    /// What `str.splitlines` calls the end of a line.
    var isPythonLineEnd: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: return true
        default: return false
        }
    }

    var isASCIIDigit: Bool { value >= 0x30 && value <= 0x39 }
}
