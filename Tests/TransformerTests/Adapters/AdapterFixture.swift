import Foundation
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// A model and an adapter that PEFT saved for it, with what PEFT computes (scripts/make-golden-adapters.py).
struct AdapterFixture {
    static let names = ["llama", "qwen3"]

    let base: ModelDirectory
    let adapter: AdapterDirectory
    let golden: SafetensorsFile

    init(_ name: String) throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures").path
        base = try ModelDirectory(opening: "\(folder)/\(name)")
        adapter = try AdapterDirectory(opening: "\(folder)/adapters/\(name)")
        golden = try SafetensorsFile(path: "\(folder)/adapters/\(name).safetensors")
    }

    var layout: ParameterLayout { ParameterLayout(base.configuration) }

    var tokens: [Int32] {
        get throws {
            let shape = try #require(golden.tensors["tokens"]).shape
            let ids = try golden.load("tokens", as: .int64, shape: shape, Int64.self)
            return (0..<ids.count).map { Int32(ids[$0]) }
        }
    }

    func floats(_ name: String) throws -> [Float] {
        let shape = try #require(golden.tensors[name]).shape
        let storage = try golden.load(name, as: .float32, shape: shape, Float.self)
        return withExtendedLifetime(storage) { Array(storage.buffer) }
    }
}
