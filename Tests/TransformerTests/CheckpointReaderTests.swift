import Foundation
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// Checkpoints as exporters of all ages leave them.
@Suite("Reading checkpoints")
struct CheckpointReaderTests {
    private let kernels: Kernels
    private let pool = ComputePool(threads: 2)

    init() throws {
        kernels = try Kernels.preferred()
    }

    private func bytes<Element: BitwiseCopyable>(_ values: [Element]) -> [UInt8] {
        values.withUnsafeBytes(Array.init)
    }

    /// Writes tensors beside the configuration of a model and opens the directory.
    private func directory<Value>(
        _ configuration: ModelConfiguration, _ tensors: [TensorSource], _ body: (ModelDirectory) throws -> Value
    ) throws -> Value {
        try WeightsTests.withFolder { folder in
            try ModelDirectory.write(
                to: "\(folder)/m", configuration: configuration, generation: .byteLevel, tensors: tensors)
            return try body(try ModelDirectory(opening: "\(folder)/m"))
        }
    }

    @Test("binary16 holds what Float16 says")
    func half() {
        for bits in UInt16.min...UInt16.max {
            let expected = Float(Float16(bitPattern: bits))
            let found = HalfPrecision.widened[Int(bits)]
            #expect(found.bitPattern == expected.bitPattern || found.isNaN && expected.isNaN)
        }
    }

    @Test("binary16 and binary32 are rounded to bf16, denormals to signed zeros")
    func rounding() throws {
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 4)
        let norm = master.layout.finalNorm
        let special: [Float] = [0x1p-132, -0x1p-132, 0x1p-126, -0x1p-133, 1.00390625, 1.01171875, 65504, 6e-8]
        for (index, value) in special.enumerated() { master[norm][index] = value }
        let expected = try ModelWeights(master: master, kernels: kernels, pool: pool)
        withExtendedLifetime(expected) {
            #expect((0..<6).map { expected[norm][$0] } == [0, 0x8000, 0x0080, 0x8000, 0x3F80, 0x3F82])
        }
        try directory(master.configuration, master.sources) { directory in
            let loaded = try directory.weights(kernels: kernels, pool: pool)
            #expect(loaded.weightsHash == expected.weightsHash)
        }
        // The same through binary16: first rounded to it, then from it.
        let halves = master.layout.slices.map { slice in
            TensorSource(
                name: slice.name, type: .float16, shape: slice.shape,
                bytes: bytes(master[slice].map { Float16($0).bitPattern }))
        }
        let widened = MasterWeights(master.configuration)
        for slice in master.layout.slices {
            for index in 0..<slice.count { widened[slice][index] = Float(Float16(master[slice][index])) }
        }
        try directory(master.configuration, halves) { directory in
            let loaded = try directory.weights(kernels: kernels, pool: pool)
            #expect(
                try loaded.weightsHash == ModelWeights(master: widened, kernels: kernels, pool: pool).weightsHash)
            let read = try directory.masterWeights()
            #expect(withExtendedLifetime((read, widened)) { read.values.buffer.elementsEqual(widened.values.buffer) })
        }
    }

    @Test("a weight that is not finite names its tensor", arguments: [ElementType.float16, .float32, .bfloat16])
    func notFinite(type: ElementType) throws {
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 4)
        let name = "model.layers.1.self_attn.k_norm.weight"
        for value in [Float.nan, .infinity, -.infinity] {
            let tensors = master.roundedSources(kernels).map { source -> TensorSource in
                guard source.name == name else { return source }
                let elements = [Float](repeating: value, count: 16)
                let content =
                    switch type {
                    case .float16: bytes(elements.map { Float16($0).bitPattern })
                    case .float32: bytes(elements)
                    default: bytes(elements.map { UInt16($0.bitPattern >> 16) })
                    }
                return TensorSource(name: name, type: type, shape: [16], bytes: content)
            }
            try directory(master.configuration, tensors) { directory in
                for read in [
                    { _ = try directory.weights(kernels: kernels, pool: pool) }, { _ = try directory.masterWeights() },
                ] {
                    let error = #expect(throws: ModelError.self) { try read() }
                    #expect(error?.code == .notFinite && error?.place == name)
                }
            }
        }
        // Too large for bf16 is infinite once it is rounded.
        master[master.layout.finalNorm][3] = .greatestFiniteMagnitude
        try directory(master.configuration, master.sources) { directory in
            let error = #expect(throws: ModelError.self) { try directory.weights(kernels: kernels, pool: pool) }
            #expect(error?.code == .notFinite && error?.place == "model.norm.weight")
        }
    }

    @Test("a tied output projection may be stored, if it is the embedding")
    func tied() throws {
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 4)
        let embedding = master.layout.embedding
        let shape = embedding.shape
        let rounded = master.roundedSources(kernels)
        let hash = try ModelWeights(master: master, kernels: kernels, pool: pool).weightsHash
        let bits = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let same = bits.elements(of: embedding)
        var other = same
        other[77] ^= 1
        let wide = same.map { Float(bitPattern: UInt32($0) << 16) }
        var wideOther = wide
        wideOther[77] += 1
        for (tensor, isSame) in [
            (TensorSource(name: "lm_head.weight", type: .bfloat16, shape: shape, bytes: bytes(same)), true),
            (TensorSource(name: "lm_head.weight", type: .bfloat16, shape: shape, bytes: bytes(other)), false),
            (TensorSource(name: "lm_head.weight", type: .float32, shape: shape, bytes: bytes(wide)), true),
            (TensorSource(name: "lm_head.weight", type: .float32, shape: shape, bytes: bytes(wideOther)), false),
        ] {
            try directory(master.configuration, rounded + [tensor]) { directory in
                if isSame {
                    let loaded = try directory.weights(kernels: kernels, pool: pool)
                    #expect(loaded.weightsHash == hash)
                } else {
                    let error = #expect(throws: ModelError.self) { try directory.masterWeights() }
                    #expect(error?.description.contains("tie_word_embeddings is true") == true)
                }
            }
        }
    }

    @Test("rotary buffers of old checkpoints are passed over, and a bare decoder is named")
    func oldFiles() throws {
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 4)
        let rounded = master.roundedSources(kernels)
        let buffer = TensorSource(
            name: "model.layers.0.self_attn.rotary_emb.inv_freq", type: .float32, shape: [2],
            bytes: bytes([1, Float(2)]))
        try directory(master.configuration, rounded + [buffer]) { directory in
            #expect(throws: Never.self) { try directory.weights(kernels: kernels, pool: pool) }
        }
        let bare = master.layout.slices.map { slice in
            TensorSource(
                name: String(slice.name.dropFirst("model.".count)), type: .float32, shape: slice.shape,
                bytes: bytes(Array(master[slice])))
        }
        try directory(master.configuration, bare) { directory in
            let error = #expect(throws: ModelError.self) { try directory.masterWeights() }
            #expect(error?.code == .tensorMismatch)
            #expect(error?.description.contains("lack the prefix \"model.\"") == true)
        }
    }

    @Test("biases that a file has and the family has not are unexpected, and the other way round")
    func biases() throws {
        var biased = ModelShape.nano.configuration
        (biased.modelType, biased.qkNorm, biased.attentionBias) = ("qwen2", false, true)
        var plain = biased
        (plain.modelType, plain.attentionBias) = ("llama", false)
        let name = "model.layers.0.self_attn.q_proj.bias"
        try directory(plain, MasterWeights(biased).sources) { directory in
            let error = #expect(throws: ModelError.self) { try directory.masterWeights() }
            #expect(error?.description.contains("unexpected: model.layers.0.self_attn.k_proj.bias") == true)
        }
        try directory(biased, MasterWeights(plain).sources) { directory in
            let error = #expect(throws: ModelError.self) { try directory.masterWeights() }
            #expect(error?.description.contains("missing: ") == true && error?.description.contains(name) == true)
        }
    }
}
