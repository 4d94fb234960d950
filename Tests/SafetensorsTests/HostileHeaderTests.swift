import Testing

@testable import Safetensors

/// A malformed file and the rule that must refuse it.
struct HostileFile: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let rule: SafetensorsError.Rule
    var testDescription: String { name }

    init(_ name: String, _ rule: SafetensorsError.Rule, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
        self.rule = rule
    }

    /// A file with one header text and `data` bytes after it.
    init(_ name: String, _ rule: SafetensorsError.Rule, _ header: String, data: Int = 0) {
        self.init(name, rule, Fixture.bytes(header, data: data))
    }

    static let u8 = #""dtype":"U8","shape""#

    static let all: [HostileFile] = [
        .init("empty file", .fileTooShort, []),
        .init("seven bytes", .fileTooShort, [UInt8](repeating: 0, count: 7)),
        .init("header length 0", .malformedHeader, Fixture.bytes("")),
        .init("header beyond the file", .headerBeyondFile, Fixture.bytes("{}", length: 3)),
        .init("header of 100,000,001 bytes", .headerTooLarge, Fixture.bytes("{}", length: 100_000_001)),
        .init("header length 2^64 - 1", .headerTooLarge, Fixture.bytes("{}", length: .max)),
        .init("header length 2^63", .headerTooLarge, Fixture.bytes("{}", length: 1 << 63)),
        .init("no object", .malformedHeader, "[]"),
        .init("unfinished object", .malformedHeader, #"{"a":"#),
        .init("text after the object", .malformedHeader, "{} {}"),
        .init("two commas", .malformedHeader, #"{"__metadata__":{},,}"#),
        .init("trailing comma", .malformedHeader, #"{"__metadata__":{},}"#),
        .init("not UTF-8", .malformedHeader, Fixture.bytes("{\"") + [0xFF]),
        .init(
            "not UTF-8 in a name", .malformedHeader, withHeader([0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x7B, 0x7D, 0x7D])),
        .init("raw newline in a name", .malformedHeader, "{\"a\nb\":{}}"),
        .init("unknown escape", .malformedHeader, #"{"a\x":{}}"#),
        .init("half a surrogate", .malformedHeader, #"{"\ud800":{}}"#),
        .init("surrogate and letter", .malformedHeader, #"{"\ud800\u0041":{}}"#),
        .init("metadata that is no text", .malformedHeader, #"{"__metadata__":{"a":1}}"#),
        .init("metadata that is nested", .malformedHeader, #"{"__metadata__":{"a":{}}}"#),
        .init("metadata twice", .duplicateKey, #"{"__metadata__":{},"__metadata__":{}}"#),
        .init("metadata entry twice", .duplicateKey, #"{"__metadata__":{"a":"1","a":"2"}}"#),
        .init(
            "tensor twice", .duplicateKey,
            "{\"a\":{\(u8):[1],\"data_offsets\":[0,1]},\"a\":{\(u8):[1],\"data_offsets\":[1,2]}}", data: 2),
        .init(
            "tensor twice by an escape", .duplicateKey,
            "{\"a\":{\(u8):[1],\"data_offsets\":[0,1]},\"\\u0061\":{\(u8):[1],\"data_offsets\":[1,2]}}", data: 2),
        .init("shape twice", .duplicateKey, "{\"a\":{\(u8):[1],\"shape\":[1],\"data_offsets\":[0,1]}}", data: 1),
        .init("dtype twice", .duplicateKey, "{\"a\":{\"dtype\":\"U8\",\(u8):[1],\"data_offsets\":[0,1]}}", data: 1),
        .init(
            "offsets twice", .duplicateKey, "{\"a\":{\(u8):[1],\"data_offsets\":[0,1],\"data_offsets\":[0,1]}}", data: 1
        ),
        .init("unknown dtype", .unknownType, #"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,1]}}"#, data: 1),
        .init("lower-case dtype", .unknownType, #"{"a":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}}"#, data: 1),
        .init("dtype missing", .malformedHeader, #"{"a":{"shape":[1],"data_offsets":[0,1]}}"#, data: 1),
        .init("shape missing", .malformedHeader, #"{"a":{"dtype":"U8","data_offsets":[0,1]}}"#, data: 1),
        .init("offsets missing", .malformedHeader, "{\"a\":{\(u8):[1]}}", data: 1),
        .init(
            "offsets under the old README's name", .malformedHeader, "{\"a\":{\(u8):[1],\"offsets\":[0,1]}}", data: 1),
        .init("empty entry", .malformedHeader, #"{"a":{}}"#),
        .init("negative dimension", .malformedHeader, "{\"a\":{\(u8):[-1],\"data_offsets\":[0,1]}}", data: 1),
        .init("fractional dimension", .malformedHeader, "{\"a\":{\(u8):[1.0],\"data_offsets\":[0,1]}}", data: 1),
        .init("dimension with exponent", .malformedHeader, "{\"a\":{\(u8):[1e0],\"data_offsets\":[0,1]}}", data: 1),
        .init("dimension with leading zero", .malformedHeader, "{\"a\":{\(u8):[01],\"data_offsets\":[0,1]}}", data: 1),
        .init("dimension as text", .malformedHeader, "{\"a\":{\(u8):[\"1\"],\"data_offsets\":[0,1]}}", data: 1),
        .init(
            "dimension of 2^63", .malformedHeader, "{\"a\":{\(u8):[9223372036854775808],\"data_offsets\":[0,1]}}",
            data: 1),
        .init("65 dimensions", .malformedHeader, "{\"a\":{\(u8):[\(ones(65))],\"data_offsets\":[0,1]}}", data: 1),
        .init("product overflow", .badShape, "{\"a\":{\(u8):[4294967296,4294967296],\"data_offsets\":[0,0]}}"),
        .init("byte overflow", .badShape, #"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#),
        .init(
            "overflow hidden by a zero", .badShape, "{\"a\":{\(u8):[4294967296,4294967296,0],\"data_offsets\":[0,0]}}"),
        .init("one offset", .badOffsets, "{\"a\":{\(u8):[1],\"data_offsets\":[0]}}", data: 1),
        .init("three offsets", .malformedHeader, "{\"a\":{\(u8):[1],\"data_offsets\":[0,1,2]}}", data: 1),
        .init("offsets reversed", .badOffsets, "{\"a\":{\(u8):[1],\"data_offsets\":[1,0]}}", data: 1),
        .init("size below the shape", .sizeMismatch, "{\"a\":{\(u8):[2],\"data_offsets\":[0,1]}}", data: 1),
        .init("size above the shape", .sizeMismatch, "{\"a\":{\(u8):[1],\"data_offsets\":[0,2]}}", data: 2),
        .init("first tensor not at 0", .gapOrOverlap, "{\"a\":{\(u8):[1],\"data_offsets\":[1,2]}}", data: 2),
        .init(
            "gap", .gapOrOverlap, "{\"a\":{\(u8):[1],\"data_offsets\":[0,1]},\"b\":{\(u8):[1],\"data_offsets\":[2,3]}}",
            data: 3),
        .init(
            "overlap", .gapOrOverlap,
            "{\"a\":{\(u8):[2],\"data_offsets\":[0,2]},\"b\":{\(u8):[2],\"data_offsets\":[1,3]}}", data: 3),
        .init(
            "two tensors on the same bytes", .gapOrOverlap,
            "{\"a\":{\(u8):[2],\"data_offsets\":[0,2]},\"b\":{\(u8):[2],\"data_offsets\":[0,2]}}", data: 2),
        .init("bytes after the last tensor", .wrongFileEnd, "{\"a\":{\(u8):[1],\"data_offsets\":[0,1]}}", data: 2),
        .init("last tensor beyond the file", .wrongFileEnd, "{\"a\":{\(u8):[3],\"data_offsets\":[0,3]}}", data: 2),
        .init("data without tensors", .wrongFileEnd, "{}", data: 1),
        .init("name of 5000 bytes", .malformedHeader, "{\"\(String(repeating: "n", count: 5000))\":{}}"),
        .init("deep nesting", .malformedHeader, String(repeating: "{\"a\":", count: 100_000)),
    ]

    private static func withHeader(_ header: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header
    }

    private static func ones(_ count: Int) -> String {
        [String](repeating: "1", count: count).joined(separator: ",")
    }
}

@Suite("Hostile safetensors headers")
struct HostileHeaderTests {
    @Test("each is refused by its own rule", arguments: HostileFile.all)
    func refused(file: HostileFile) {
        let error = #expect(throws: SafetensorsError.self) { try Fixture.parse(file.bytes) }
        #expect(error?.rule == file.rule, "\(error?.description ?? "accepted")")
        #expect(error?.description.contains("fixture") == true)
    }

    @Test("legal oddities are accepted")
    func accepted() throws {
        let zeroSize =
            #"{"b":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#
        let header = try Fixture.parse(Fixture.bytes(zeroSize + "   ", data: 1))
        #expect(header.tensors["a"]?.shape == [])
        #expect(header.tensors["a"]?.elementCount == 1)
        #expect(header.tensors["b"]?.elementCount == 0)
        #expect(try Fixture.parse(Fixture.bytes("{}")).tensors.isEmpty)
        let escaped = #"{"__metadata__":{"\u00e9\ud83d\ude00":"\"\\\/\b\f\n\r\t"}}"#
        #expect(try Fixture.parse(Fixture.bytes(escaped)).metadata == ["é😀": "\"\\/\u{8}\u{c}\n\r\t"])
    }

    @Test("the reference implementation's own serialisation example")
    func referenceBytes() throws {
        // The bytes of `test_serialization` in the format's repository: one F32 tensor [1, 2, 3], padded to 8.
        let header = #"{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}"#
        let parsed = try Fixture.parse(Fixture.bytes(header, data: 24))
        #expect(parsed.tensors == ["attn.0": TensorInfo(type: .float32, shape: [1, 2, 3], range: 0..<24)])
        #expect(parsed.dataStart == 72)
    }
}
