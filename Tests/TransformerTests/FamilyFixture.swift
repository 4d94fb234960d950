import Foundation
import Safetensors
import Synchronization
import Tensors
import Testing

@testable import Transformer

/// A tiny model of one family and variation, and what PyTorch computes with it (`scripts/make-golden-families.py`).
struct FamilyFixture {
    static let names = [
        "llama-biases", "llama-llama3", "llama-linear", "llama-odd", "mistral", "mistral-window", "qwen2",
        "qwen2-window", "qwen3-biases", "qwen3-window", "smollm3", "smollm3-window",
    ]

    let name: String
    let directory: ModelDirectory
    let tokens: [Int32]
    /// The stored weights computed in binary32 [tokens, vocabulary].
    let reference: [Float]
    /// PyTorch's own bfloat16 computation.
    let rounded: [Float]

    init(_ name: String) throws {
        self.name = name
        directory = try ModelDirectory(opening: try Self.folder(name))
        let file = try SafetensorsFile(path: "\(directory.path)/golden.safetensors")
        func load<Element: BitwiseCopyable>(_ name: String, _ type: ElementType, _: Element.Type) throws -> [Element] {
            let shape = try #require(file.tensors[name]).shape
            let storage = try file.load(name, as: type, shape: shape, Element.self)
            return withExtendedLifetime(storage) { Array(storage.buffer) }
        }
        tokens = try load("tokens", .int64, Int64.self).map(Int32.init)
        reference = try load("reference", .float32, Float.self)
        rounded = try load("bfloat16", .bfloat16, UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    }

    static func folder(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL).appending(path: "Fixtures/families/\(name)").path
    }

    /// The weights, loaded once.
    static func weights(_ name: String) throws -> ModelWeights {
        try known.withLock { known in
            if let weights = known[name] { return weights }
            let weights = try ModelDirectory(opening: try folder(name)).weights(
                kernels: Kernels(row: .scalar), pool: ComputePool(threads: 1))
            known[name] = weights
            return weights
        }
    }

    private static let known = Mutex<[String: ModelWeights]>([:])
}
