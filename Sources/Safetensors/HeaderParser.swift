import JSON

/// Reads the JSON object of a safetensors header entry by entry.
struct HeaderParser {
    let file: String
    var reader: JSONByteReader
    private(set) var tensors: [String: TensorInfo] = [:]
    private(set) var metadata: [String: String] = [:]

    init(file: String, reader: JSONByteReader) {
        self.file = file
        self.reader = reader
    }

    /// Reads the whole header.
    mutating func parse() throws(SafetensorsError) {
        try syntax { (parser: inout HeaderParser) throws(JSONError) in
            try parser.reader.expect(UInt8(ascii: "{"))
        }
        var hasMetadata = false
        if !reader.take(UInt8(ascii: "}")) {
            repeat {
                let name = try name()
                if name == "__metadata__" {
                    if hasMetadata { throw duplicate(name) }
                    hasMetadata = true
                    try parseMetadata()
                } else {
                    if tensors[name] != nil { throw duplicate(name) }
                    tensors[name] = try parseTensor(name)
                }
            } while reader.take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
        }
        try syntax { (parser: inout HeaderParser) throws(JSONError) in try parser.reader.expectEnd() }
    }

    private mutating func parseMetadata() throws(SafetensorsError) {
        try expect(UInt8(ascii: "{"))
        if reader.take(UInt8(ascii: "}")) { return }
        repeat {
            let name = try name()
            let value = try syntax { (parser: inout HeaderParser) throws(JSONError) in
                try parser.reader.string(limit: SafetensorsHeader.maximumMetadataByteCount)
            }
            guard metadata.updateValue(value, forKey: name) == nil else { throw duplicate(name) }
        } while reader.take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    private mutating func parseTensor(_ tensor: String) throws(SafetensorsError) -> TensorInfo {
        var type: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        try expect(UInt8(ascii: "{"))
        repeat {
            switch try name() {
            case "dtype":
                if type != nil { throw duplicate("dtype of \(tensor)") }
                let text = try syntax { (parser: inout HeaderParser) throws(JSONError) in
                    try parser.reader.string(limit: 32)
                }
                guard let known = ElementType(rawValue: text) else {
                    throw SafetensorsError(.unknownType, file: file, "tensor \(tensor) has the unknown dtype \(text)")
                }
                type = known
            case "shape":
                if shape != nil { throw duplicate("shape of \(tensor)") }
                shape = try numbers(atMost: SafetensorsHeader.maximumRank)
            case "data_offsets":
                if offsets != nil { throw duplicate("data_offsets of \(tensor)") }
                offsets = try numbers(atMost: 2)
            case let other:
                throw SafetensorsError(.malformedHeader, file: file, "tensor \(tensor) has the unknown entry \(other)")
            }
        } while reader.take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        guard let type, let shape, let offsets else {
            throw SafetensorsError(
                .malformedHeader, file: file, "tensor \(tensor) lacks one of dtype, shape and data_offsets")
        }
        return try check(tensor, type: type, shape: shape, offsets: offsets)
    }

    private func check(
        _ tensor: String, type: ElementType, shape: [Int], offsets: [Int]
    ) throws(SafetensorsError) -> TensorInfo {
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw SafetensorsError(.badOffsets, file: file, "tensor \(tensor) has the offsets \(offsets)")
        }
        guard let byteCount = TensorInfo.byteCount(type: type, shape: shape) else {
            throw SafetensorsError(
                .badShape, file: file, "tensor \(tensor) of type \(type.rawValue) has the shape \(shape)")
        }
        guard byteCount == offsets[1] - offsets[0] else {
            throw SafetensorsError(
                .sizeMismatch, file: file,
                "tensor \(tensor) of shape \(shape) takes \(byteCount) bytes and has \(offsets[1] - offsets[0])")
        }
        return TensorInfo(type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    private mutating func numbers(atMost limit: Int) throws(SafetensorsError) -> [Int] {
        try syntax { (parser: inout HeaderParser) throws(JSONError) in
            try parser.reader.expect(UInt8(ascii: "["))
            var values: [Int] = []
            if parser.reader.take(UInt8(ascii: "]")) { return values }
            repeat {
                guard values.count < limit else { throw parser.reader.fault("more than \(limit) numbers") }
                values.append(try parser.reader.naturalNumber())
            } while parser.reader.take(UInt8(ascii: ","))
            try parser.reader.expect(UInt8(ascii: "]"))
            return values
        }
    }

    /// A name and the colon after it.
    private mutating func name() throws(SafetensorsError) -> String {
        try syntax { (parser: inout HeaderParser) throws(JSONError) in
            let name = try parser.reader.string(limit: SafetensorsHeader.maximumNameByteCount)
            try parser.reader.expect(UInt8(ascii: ":"))
            return name
        }
    }

    private mutating func expect(_ byte: UInt8) throws(SafetensorsError) {
        try syntax { (parser: inout HeaderParser) throws(JSONError) in try parser.reader.expect(byte) }
    }

    private func duplicate(_ name: String) -> SafetensorsError {
        SafetensorsError(.duplicateKey, file: file, "its header holds \(name) twice")
    }

    /// Runs a step of the reader and turns its error into ours.
    private mutating func syntax<Value>(
        _ step: (inout HeaderParser) throws(JSONError) -> Value
    ) throws(SafetensorsError) -> Value {
        do throws(JSONError) {
            return try step(&self)
        } catch {
            throw SafetensorsError(.malformedHeader, file: file, "its header is not the JSON expected: \(error)")
        }
    }
}
