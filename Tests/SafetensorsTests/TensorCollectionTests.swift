import Foundation
import JSON
import Testing

@testable import Safetensors

@Suite("Weights in one file or in parts")
struct TensorCollectionTests {
    private static let one = TensorSource(name: "one", type: .uint8, shape: [1], bytes: [1])
    private static let two = TensorSource(name: "two", type: .uint8, shape: [2], bytes: [2, 2])

    private func withParts(index: String, _ body: (String) throws -> Void) throws {
        try Fixture.withFolder { folder in
            try SafetensorsWriter.write([Self.one], to: "\(folder)/model-00001-of-00002.safetensors")
            try SafetensorsWriter.write([Self.two], to: "\(folder)/model-00002-of-00002.safetensors")
            try DurableFile.write(index, to: "\(folder)/model.safetensors.index.json")
            try body(folder)
        }
    }

    @Test("parts are found through the index")
    func parts() throws {
        let index = """
            {"metadata": {"total_size": 3}, "weight_map": {
              "one": "model-00001-of-00002.safetensors", "two": "model-00002-of-00002.safetensors"}}
            """
        try withParts(index: index) { folder in
            let collection = try TensorCollection(directory: folder)
            #expect(collection.tensors.keys.sorted() == ["one", "two"])
            try collection.file(holding: "two").withBytes(of: "two") { #expect(Array($0) == [2, 2]) }
            #expect(throws: SafetensorsError.self) { try collection.file(holding: "three") }
        }
    }

    @Test("an index that lies is refused", arguments: HostileFile.indexes)
    func lies(name: String) throws {
        let root = try #require(Bundle.module.resourcePath)
        let error = #expect(throws: SafetensorsError.self) {
            try TensorCollection(directory: "\(root)/Fixtures/hostile-index/\(name)")
        }
        #expect(error?.rule == .badIndex)
        #expect(error?.description.contains("model.safetensors.index.json") == true)
    }

    @Test("a stale index beside a single file is not read, as in transformers")
    func staleIndex() throws {
        try withParts(index: "{}") { folder in
            try SafetensorsWriter.write([Self.two], to: "\(folder)/model.safetensors")
            #expect(try Array(TensorCollection(directory: folder).tensors.keys) == ["two"])
        }
    }

    @Test("tensors above a size are written in parts that read back", arguments: [1, 3, 7, 8, 40])
    func written(limit: Int) throws {
        let tensors = (0..<5).map { index in
            TensorSource(name: "t\(index)", type: .uint8, shape: [index], bytes: [UInt8](repeating: 9, count: index))
        }
        try Fixture.withFolder { folder in
            let names = try PartsWriter.write(tensors, maximumByteCount: limit, to: folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == names.sorted())
            let collection = try TensorCollection(directory: folder)
            #expect(collection.tensors.count == 5)
            #expect(try weightsHash(of: collection.sources) == weightsHash(of: tensors))
            for part in collection.parts {
                let bytes = part.tensors.values.map(\.range.count)
                #expect(bytes.reduce(0, +) <= limit || bytes.filter { $0 > 0 }.count == 1)
            }
            if limit >= 10 {
                #expect(names == ["model.safetensors"])
            } else {
                #expect(names.first == "model-00001-of-0000\(names.count - 1).safetensors")
                let index = try JSONValue.parse(
                    FileBytes.read("\(folder)/model.safetensors.index.json", atMost: 1 << 20))
                #expect(index["metadata"]?["total_size"]?.integer == 10)
            }
        }
    }

    @Test("a name that stands twice is refused across parts too")
    func writtenTwice() throws {
        try Fixture.withFolder { folder in
            let error = #expect(throws: SafetensorsError.self) {
                try PartsWriter.write([Self.one, Self.two, Self.one], maximumByteCount: 1, to: folder)
            }
            #expect(error?.rule == .duplicateKey)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.isEmpty)
        }
    }

    @Test("a part that does not exist, and a directory without weights, are refused")
    func missing() throws {
        try withParts(index: #"{"weight_map": {"one": "model-00009-of-00002.safetensors"}}"#) { folder in
            let error = #expect(throws: SafetensorsError.self) { try TensorCollection(directory: folder) }
            #expect(error?.rule == .badIndex)
        }
        try Fixture.withFolder { folder in
            let error = #expect(throws: SafetensorsError.self) { try TensorCollection(directory: folder) }
            #expect(error?.rule == .inputOutput)
        }
    }
}
