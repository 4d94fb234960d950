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

    @Test(
        "an index that lies is refused",
        arguments: [
            "{}", "[]", "{", #"{"weight_map": {}}"#, #"{"weight_map": {"one": 1}}"#,
            #"{"weight_map": {"one": "../model.safetensors"}}"#, #"{"weight_map": {"one": "/etc/x.safetensors"}}"#,
            #"{"weight_map": {"one": ".hidden.safetensors"}}"#, #"{"weight_map": {"one": "model.bin"}}"#,
            #"{"weight_map": {"two": "model-00001-of-00002.safetensors"}}"#,
            #"{"weight_map": {"one": "model-00001-of-00002.safetensors", "one": "model-00002-of-00002.safetensors"}}"#,
        ])
    func lies(index: String) throws {
        try withParts(index: index) { folder in
            let error = #expect(throws: SafetensorsError.self) { try TensorCollection(directory: folder) }
            #expect(error?.rule == .badIndex)
        }
    }

    @Test("a part that does not exist, and a directory without weights, are refused")
    func missing() throws {
        try withParts(index: #"{"weight_map": {"one": "model-00009-of-00002.safetensors"}}"#) { folder in
            let error = #expect(throws: SafetensorsError.self) { try TensorCollection(directory: folder) }
            #expect(error?.rule == .inputOutput)
        }
        try Fixture.withFolder { folder in
            let error = #expect(throws: SafetensorsError.self) { try TensorCollection(directory: folder) }
            #expect(error?.rule == .inputOutput)
        }
    }
}
