/// Walks undecoded bytes against a ``Shape``.
///
/// Decoding allocates far more than it reads (an empty repeated message takes two bytes on the wire and dozens in
/// memory), accepts repeated singular fields and keeps unknown ones. So everything is measured here first; what passes
/// can be decoded without surprise.
enum ShapeCheck {
    /// Checks one whole message.
    static func check(_ bytes: UnsafeRawBufferPointer, _ shape: Shape, _ limits: Limits) throws(MessageError) {
        do throws(MessageError) {
            try fields(of: bytes, shape, limits)
        } catch {
            throw error.inside(shape.name)
        }
    }

    private static func fields(of bytes: UnsafeRawBufferPointer, _ shape: Shape, _ limits: Limits)
        throws(MessageError)
    {
        var reader = WireReader(bytes)
        var counts: [UInt32: Int] = [:]
        var alternatives = 0
        while !reader.isAtEnd {
            let key = try reader.integer()
            guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw WireReader.malformed("a field number is impossible") }
            let number = UInt32(key >> 3)
            guard let field = shape.fields[number] else {
                throw MessageError(.unknownField, at: "", "field \(number) is not in schema \(SchemaVersion.current)")
            }
            do throws(MessageError) {
                let count = counts[number, default: 0] + 1
                counts[number] = count
                var most = 1
                if case .repeated(let measure) = field.count { most = measure.value(in: limits) }
                if case .alternative = field.count { alternatives += 1 }
                guard count <= most, alternatives <= 1 else {
                    throw MessageError(.tooMany, at: "", "it occurs more often than \(most) times")
                }
                try value(&reader, wireType: UInt8(key & 7), field.rule, limits)
            } catch {
                throw error.inside(field.name)
            }
        }
        // The lowest number first, so that the same message is always refused for the same reason.
        let missing = shape.fields.filter { number, field in
            if case .required = field.count { counts[number] == nil } else { false }
        }
        if let first = missing.min(by: { $0.key < $1.key }) {
            throw MessageError(.missing, at: first.value.name, "it must be there")
        }
        let hasAlternatives = shape.fields.values.contains { if case .alternative = $0.count { true } else { false } }
        guard alternatives == 1 || !hasAlternatives else {
            throw MessageError(.missing, at: "body", "it must be there")
        }
    }

    private static func value(_ reader: inout WireReader, wireType: UInt8, _ rule: Shape.Rule, _ limits: Limits)
        throws(MessageError)
    {
        guard wireType == rule.wireType else { throw WireReader.malformed("it has wire type \(wireType)") }
        switch rule {
        case .integer(let most):
            try within(try reader.integer(), 0...most)
        case .size(let measure):
            try within(try reader.integer(), 1...UInt64(measure.value(in: limits)))
        case .signed:
            _ = try reader.integer()
        case .boolean:
            try within(try reader.integer(), 0...1)
        case .float(let low, let high):
            try within(Double(Float(bitPattern: try reader.fixed32())), low, high)
        case .double(let low, let high):
            try within(Double(bitPattern: try reader.fixed64()), low, high)
        case .anyDouble:
            _ = try reader.fixed64()
        default:
            let content = try reader.take(try reader.integer())
            try delimited(content, rule, limits)
        }
    }

    private static func delimited(_ content: UnsafeRawBufferPointer, _ rule: Shape.Rule, _ limits: Limits)
        throws(MessageError)
    {
        switch rule {
        case .bytes(let range):
            guard range.contains(content.count) else {
                throw MessageError(
                    .outOfRange, at: "", "it has \(content.count) bytes instead of \(range.lowerBound)")
            }
        case .blob(let measure):
            try within(UInt64(content.count), 1...UInt64(measure.value(in: limits)))
        case .text(let measure):
            guard content.count <= measure.value(in: limits) else {
                throw MessageError(.outOfRange, at: "", "its \(content.count) bytes are too many")
            }
            guard !holdsControlCharacters(content) else {
                throw MessageError(.outOfRange, at: "", "it holds control characters")
            }
        case .integers(let measure, let largest):
            try packedIntegers(content, atMost: measure.value(in: limits), each: largest)
        case .floats(let measure):
            try packedFloats(content, atMost: measure.value(in: limits))
        case .message(let shape):
            try fields(of: content, shape, limits)
        default:
            throw WireReader.malformed("it has no length")
        }
    }

    private static func packedIntegers(_ content: UnsafeRawBufferPointer, atMost most: Int, each largest: UInt64)
        throws(MessageError)
    {
        var reader = WireReader(content)
        var count = 0
        while !reader.isAtEnd {
            count += 1
            guard count <= most else { throw MessageError(.tooMany, at: "", "it has more than \(most) numbers") }
            try within(try reader.integer(), 0...largest)
        }
    }

    private static func packedFloats(_ content: UnsafeRawBufferPointer, atMost most: Int) throws(MessageError) {
        guard content.count.isMultiple(of: 4) else { throw WireReader.malformed("it ends inside a float") }
        guard content.count / 4 <= most else {
            throw MessageError(.tooMany, at: "", "it has more than \(most) numbers")
        }
        for offset in stride(from: 0, to: content.count, by: 4) {
            // All exponent bits set: infinite or NaN.
            let bits = UInt32(littleEndian: content.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard bits & 0x7f80_0000 != 0x7f80_0000 else {
                throw MessageError(.outOfRange, at: "", "number \(offset / 4) is not finite")
            }
        }
    }

    private static func within(_ value: UInt64, _ range: ClosedRange<UInt64>) throws(MessageError) {
        guard range.contains(value) else {
            throw MessageError(
                .outOfRange, at: "", "\(value) is not in \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private static func within(_ value: Double, _ low: Double, _ high: Double) throws(MessageError) {
        // False for NaN.
        guard value >= low && value <= high else {
            throw MessageError(.outOfRange, at: "", "\(value) is not in \(low) to \(high)")
        }
    }

    /// Control characters of ASCII, and of ISO 8859-1 as UTF-8 writes them (C2 80 to C2 9F).
    private static func holdsControlCharacters(_ text: UnsafeRawBufferPointer) -> Bool {
        var previous: UInt8 = 0
        for byte in text {
            if byte < 0x20 || byte == 0x7f || (previous == 0xc2 && byte < 0xa0) { return true }
            previous = byte
        }
        return false
    }
}

extension Shape.Rule {
    fileprivate var wireType: UInt8 {
        switch self {
        case .integer, .size, .signed, .boolean: 0
        case .double, .anyDouble: 1
        case .float: 5
        case .bytes, .blob, .text, .integers, .floats, .message: 2
        }
    }
}

extension MessageError {
    /// The same fault, seen from the message that holds the field.
    fileprivate func inside(_ outer: String) -> MessageError {
        MessageError(code, at: location.isEmpty ? outer : "\(outer).\(location)", what)
    }
}
