import Foundation
import Testing

@testable import Safetensors

/// A file or folder of the fixtures, made by `scripts/make-hostile-safetensors.py`.
struct HostileFile: Sendable, CustomTestStringConvertible {
    let path: String
    /// The folder that it lies in: for hostile files the rule that must refuse them.
    let folder: String
    let testDescription: String

    static func list(_ kind: String) -> [HostileFile] {
        let root = Bundle.module.resourcePath.map { "\($0)/Fixtures/\(kind)" } ?? ""
        let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(".safetensors") }.sorted().map { path in
            let parts = path.split(separator: "/")
            return HostileFile(
                path: "\(root)/\(path)", folder: String(parts.dropLast().last ?? ""), testDescription: path)
        }
    }

    static let hostile = list("hostile")
    static let valid = list("valid")
    static let indexes = Array(Set(list("hostile-index").map(\.folder))).sorted()

    func bytes() throws -> [UInt8] { try FileBytes.read(path, atMost: 1 << 20) }
}

@Suite("Hostile safetensors files")
struct HostileHeaderTests {
    @Test("each is refused by its own rule, in one sentence that names it", arguments: HostileFile.hostile)
    func refused(file: HostileFile) {
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: file.path) }
        #expect(error?.rule.rawValue == file.folder, "\(error?.description ?? "accepted")")
        #expect(error?.description.contains(file.path) == true)
        #expect(error?.description.contains("rule \(file.folder)") == true)
        #expect((error?.description.utf8.count ?? 0) < 1000)
    }

    @Test("there are enough of them, and every rule of the format has some")
    func coverage() {
        #expect(HostileFile.hostile.count >= 90)
        let others: Set<SafetensorsError.Rule> = [.missingTensor, .wrongType, .notFinite, .badIndex, .inputOutput]
        let rules = Set(SafetensorsError.Rule.allCases).subtracting(others).map(\.rawValue)
        #expect(Set(HostileFile.hostile.map(\.folder)) == Set(rules))
    }

    @Test("legal oddities are accepted, with every byte in its tensor", arguments: HostileFile.valid)
    func accepted(file: HostileFile) throws {
        let opened = try SafetensorsFile(path: file.path)
        let total = opened.tensors.values.reduce(0) { $0 + $1.range.count }
        for (name, info) in opened.tensors {
            try opened.withBytes(of: name) { #expect($0.count == info.range.count && $0.allSatisfy { $0 == 7 }) }
        }
        #expect(try opened.byteCount == total + Fixture.parse(file.bytes()).dataStart)
    }

    @Test("what the oddities hold")
    func details() throws {
        func open(_ name: String) throws -> SafetensorsFile {
            let file = try #require(HostileFile.valid.first { $0.testDescription == "\(name).safetensors" })
            return try SafetensorsFile(path: file.path)
        }
        #expect(try open("scalar").tensors["a"] == TensorInfo(type: .bfloat16, shape: [], range: 0..<2))
        #expect(try open("scalar").tensors["a"]?.elementCount == 1)
        #expect(try open("zero-size").tensors["b"]?.elementCount == 0)
        #expect(try open("metadata-with-escapes").metadata == ["é😀": "\"\\/\u{8}\u{c}\n\r\t"])
        #expect(try open("unordered-header").tensors["c"]?.range == 3..<4)
        let types = try open("every-type").tensors
        #expect(types.count == ElementType.allCases.count)
        for (name, info) in types { #expect(info.type.rawValue == name && info.elementCount == 8) }
    }

    @Test("a header of nothing but opening brackets is refused")
    func deepNesting() {
        let deep = Fixture.bytes(String(repeating: #"{"a":"#, count: 1_000_000))
        #expect(throws: SafetensorsError.self) { try Fixture.parse(deep) }
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
