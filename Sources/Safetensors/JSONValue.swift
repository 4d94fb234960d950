/// A JSON document whose numbers keep their text and whose objects keep their order and hold no name twice.
///
/// Used for the small configuration files beside a model. Limits are arguments because the bytes may come from strangers.
public indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number as written, so that no binary32 or 64-bit integer loses digits.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A name and its value in an object.
    public struct Member: Sendable, Equatable {
        /// The name.
        public let name: String
        /// The value.
        public let value: JSONValue

        /// Pairs a name with a value.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Parses a whole document.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 text.
    ///   - maximumBytes: longer text is refused unread.
    ///   - maximumDepth: the number of arrays and objects that may be open at once.
    public static func parse(
        _ bytes: [UInt8], maximumBytes: Int = 16 << 20, maximumDepth: Int = 32
    ) throws(JSONSyntaxError) -> JSONValue {
        guard bytes.count <= maximumBytes else {
            throw JSONSyntaxError(position: maximumBytes, message: "more than \(maximumBytes) bytes")
        }
        let result: Result<JSONValue, JSONSyntaxError> = bytes.withUnsafeBytes { buffer in
            var reader = JSONByteReader(buffer)
            do throws(JSONSyntaxError) {
                let value = try parseValue(&reader, maximumBytes: maximumBytes, depth: maximumDepth)
                try reader.expectEnd()
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func parseValue(
        _ reader: inout JSONByteReader, maximumBytes: Int, depth: Int
    ) throws(JSONSyntaxError) -> JSONValue {
        guard depth > 0 else { throw reader.fault("values nested too deeply") }
        switch reader.peek() {
        case UInt8(ascii: "{"):
            try reader.expect(UInt8(ascii: "{"))
            var members: [Member] = []
            var names: Set<String> = []
            if reader.take(UInt8(ascii: "}")) { return .object([]) }
            repeat {
                let name = try reader.string(limit: maximumBytes)
                guard names.insert(name).inserted else {
                    throw reader.fault("the name \"\(name)\" twice", isDuplicate: true)
                }
                try reader.expect(UInt8(ascii: ":"))
                members.append(
                    Member(name, try parseValue(&reader, maximumBytes: maximumBytes, depth: depth - 1)))
            } while reader.take(UInt8(ascii: ","))
            try reader.expect(UInt8(ascii: "}"))
            return .object(members)
        case UInt8(ascii: "["):
            try reader.expect(UInt8(ascii: "["))
            var elements: [JSONValue] = []
            if reader.take(UInt8(ascii: "]")) { return .array([]) }
            repeat {
                elements.append(try parseValue(&reader, maximumBytes: maximumBytes, depth: depth - 1))
            } while reader.take(UInt8(ascii: ","))
            try reader.expect(UInt8(ascii: "]"))
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try reader.string(limit: maximumBytes))
        case UInt8(ascii: "t"):
            try reader.expectLiteral("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try reader.expectLiteral("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try reader.expectLiteral("null")
            return .null
        default: return .number(try reader.number())
        }
    }

    /// The member `name` of an object; nil where there is none or the value is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The value as a whole number, where it is one that fits.
    public var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// The value as binary64, where it is a number.
    public var double: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(text)
    }

    /// The value as text, where it is a string.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value as a truth value, where it is one.
    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }
}
