extension JSONValue {
    /// Reads one JSON value, strictly by RFC 8259, from bytes that a stranger may have written.
    ///
    /// Stricter than Foundation: names that stand twice, lone surrogates, numbers beyond binary64 and nesting deeper than
    /// the limit are errors.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 text of exactly one value; white space around it is fine.
    ///   - maximumBytes: longer text is refused unread.
    ///   - maximumDepth: the number of arrays and objects that may be open at once; it bounds the recursion.
    public static func parse(
        _ bytes: [UInt8], maximumBytes: Int = 16 << 20, maximumDepth: Int = 64
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= maximumBytes else {
            throw JSONError(offset: maximumBytes, message: "more than \(maximumBytes) bytes")
        }
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { buffer in
            var reader = JSONByteReader(buffer)
            do throws(JSONError) {
                let value = try reader.value(maximumDepth: maximumDepth)
                try reader.expectEnd()
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Reads one JSON value from text; see ``parse(_:maximumBytes:maximumDepth:)-([UInt8],_,_)``.
    public static func parse(
        _ text: String, maximumBytes: Int = 16 << 20, maximumDepth: Int = 64
    ) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), maximumBytes: maximumBytes, maximumDepth: maximumDepth)
    }
}

extension JSONByteReader {
    /// Takes the next value whole.
    ///
    /// - Parameter maximumDepth: the number of arrays and objects that may be open at once within it.
    public mutating func value(maximumDepth: Int) throws(JSONError) -> JSONValue {
        switch peek() {
        case nil: throw fault("a value is missing")
        case UInt8(ascii: "{"): return try object(maximumDepth)
        case UInt8(ascii: "["): return try array(maximumDepth)
        case UInt8(ascii: "\""): return .string(try string(limit: .max))
        case UInt8(ascii: "t"):
            try expectLiteral("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try expectLiteral("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try expectLiteral("null")
            return .null
        default: return try numericValue()
        }
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> JSONValue {
        guard depth > 0 else { throw fault("values nested too deeply") }
        try expect(UInt8(ascii: "{"))
        if take(UInt8(ascii: "}")) { return .object(JSONObject()) }
        var members: [JSONMember] = []
        var names: Set<NameBytes> = []
        repeat {
            let name = try string(limit: .max)
            guard names.insert(NameBytes(text: name)).inserted else {
                throw fault("the name \"\(name.prefix(40))\" twice", isDuplicate: true)
            }
            try expect(UInt8(ascii: ":"))
            members.append(JSONMember(name, try value(maximumDepth: depth - 1)))
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        return .object(JSONObject(distinct: members))
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> JSONValue {
        guard depth > 0 else { throw fault("values nested too deeply") }
        try expect(UInt8(ascii: "["))
        if take(UInt8(ascii: "]")) { return .array([]) }
        var elements: [JSONValue] = []
        repeat {
            elements.append(try value(maximumDepth: depth - 1))
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return .array(elements)
    }

    private mutating func numericValue() throws(JSONError) -> JSONValue {
        let text = try number()
        if let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw fault("a number beyond binary64") }
        return .number(number)
    }
}
