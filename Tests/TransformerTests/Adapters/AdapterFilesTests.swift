import Foundation
import JSON
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// PEFT's files: what is read, what is refused, and what we write.
@Suite("Adapter files") struct AdapterFilesTests {
    private static let plain: JSONObject = [
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"],
        "bias": "none", "base_model_name_or_path": "somewhere",
    ]

    private func read(_ changes: [String: JSONValue?]) throws -> AdapterConfiguration {
        var object = Self.plain
        for (name, value) in changes { object[name] = value }
        return try AdapterConfiguration(adapterJSON: .object(object), place: "test")
    }

    @Test("what PEFT writes is read")
    func reading() throws {
        let configuration = try read([:])
        #expect(configuration.rank == 4 && configuration.scale == 2 && configuration.baseName == "somewhere")
        #expect(configuration.targets == ["q_proj", "v_proj"])
        #expect(try read(["use_rslora": true]).scale == 4)
        #expect(try read(["lora_alpha": 0.5]).scale == 0.125)
        #expect(try read(["target_modules": "all-linear"]).targets == AdapterTarget.names)
        #expect(try read(["task_type": .some(nil), "base_model_name_or_path": .some(.null)]).baseName == nil)
        #expect(
            try read(["lora_dropout": 0.1, "init_lora_weights": "gaussian", "megatron_core": "megatron.core"]).rank == 4
        )
        #expect(try read(["something_new": false, "newer": [:], "newest": []]).rank == 4)
        #expect(try AdapterFixture("qwen3").adapter.configuration.isRankStabilized)
        let back = try AdapterConfiguration(adapterJSON: configuration.adapterJSON, place: "test")
        #expect(back == configuration)
    }

    @Test("what would compute something else is refused by name")
    func refusals() throws {
        let bad: [(String, JSONValue?)] = [
            ("peft_type", "IA3"), ("peft_type", nil), ("task_type", "SEQ_CLS"), ("bias", "all"), ("bias", "lora_only"),
            ("r", 0), ("r", -1), ("r", 1025), ("r", 2.5), ("r", "4"), ("r", nil), ("r", .integer(.max)),
            ("lora_alpha", nil), ("lora_alpha", "8"), ("lora_alpha", 0), ("lora_alpha", -1), ("lora_alpha", 1e300),
            ("target_modules", nil), ("target_modules", "q_proj|v_proj"), ("target_modules", ".*proj"),
            ("target_modules", []), ("target_modules", [1]), ("target_modules", 3),
            ("use_rslora", "yes"), ("use_dora", true), ("fan_in_fan_out", true), ("modules_to_save", ["lm_head"]),
            ("rank_pattern", ["q_proj": 8]), ("alpha_pattern", ["q_proj": 8]), ("layers_to_transform", [0]),
            ("layer_replication", [[0, 1]]), ("trainable_token_indices", [1]), ("lora_bias", true),
            ("use_qalora", true), ("exclude_modules", ["q_proj"]), ("alora_invocation_tokens", [1]),
            ("target_parameters", ["x"]), ("init_lora_weights", "pissa"), ("init_lora_weights", "olora"),
            ("something_new", 1), ("something_newer", "on"),
        ]
        for (name, value) in bad {
            #expect(throws: ModelError.self, "\(name)") { try read([name: value]) }
        }
        #expect(throws: ModelError.self) { try AdapterConfiguration(adapterJSON: [], place: "test") }
        do {
            _ = try read(["use_dora": true])
            Issue.record("not refused")
        } catch { #expect("\(error)".contains("use_dora")) }
    }

    @Test("targets are ends of module names, as in PEFT")
    func targets() throws {
        let base = ParameterLayout(ModelShape.nano.configuration)
        func pairs(_ targets: [String]) throws -> [String] {
            try AdapterLayout(try AdapterConfiguration(rank: 2, alpha: 2, targets: targets), base: base).pairs
                .map(\.weight.name)
        }
        let layers = base.layers.count
        #expect(try pairs(["q_proj"]).count == layers && pairs(["self_attn.q_proj"]).count == layers)
        #expect(try pairs(["model.layers.0.mlp.up_proj"]) == ["model.layers.0.mlp.up_proj.weight"])
        #expect(try pairs(["0.self_attn.o_proj", "o_proj", "o_proj"]).count == layers)
        #expect(try pairs(AdapterTarget.names).count == 7 * layers)
        for wrong in [
            "", "proj", "_proj", "q_proj.weight", "lm_head", "embed_tokens", "model", "layers.0", "mlp.q_proj",
            "model.layers.99.mlp.up_proj", "self_attn", String(repeating: "q", count: 100_000),
        ] {
            #expect(throws: ModelError.self, "\(wrong.prefix(40))") { try pairs([wrong]) }
        }
    }

    /// A directory that goes away with its owner.
    private final class Scratch {
        let path = NSTemporaryDirectory() + "apus-adapter-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("a directory comes back to the bit; nothing is left of one that cannot be written")
    func writing() throws {
        let scratch = try Scratch()
        let kernels = try Kernels.preferred()
        let base = ParameterLayout(ModelShape.nano.configuration)
        let layout = try AdapterLayout(try AdapterConfiguration(rank: 3, alpha: 5), base: base)
        let adapter = AdapterInitializer.random(layout, seed: 9)
        for slice in layout.slices { for i in 0..<slice.count { adapter[slice][i] += Float(i % 5) * 0x1p-9 } }
        let path = "\(scratch.path)/adapter"
        let factors = try adapter.rounded(kernels)
        try AdapterDirectory.write(to: path, configuration: layout.configuration, tensors: factors.sources)
        let back = try AdapterDirectory(opening: path).factors(for: base, kernels: kernels)
        #expect(back.layout == layout && back.values.buffer.elementsEqual(factors.values.buffer))

        let exact = "\(scratch.path)/exact"
        try AdapterDirectory.write(to: exact, configuration: layout.configuration, tensors: adapter.sources)
        let master = try AdapterDirectory(opening: exact).weights(for: base)
        #expect(master.values.buffer.elementsEqual(adapter.values.buffer))

        #expect(throws: (any Error).self) {
            try AdapterDirectory.write(to: path, configuration: layout.configuration, tensors: adapter.sources)
        }
        #expect(throws: (any Error).self) {
            try AdapterDirectory.write(
                to: "\(scratch.path)/none/adapter", configuration: layout.configuration, tensors: adapter.sources)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["adapter", "exact"])
    }

    @Test("hostile files are errors")
    func hostile() throws {
        let scratch = try Scratch()
        let kernels = try Kernels.preferred()
        let base = ParameterLayout(ModelShape.nano.configuration)
        let layout = try AdapterLayout(try AdapterConfiguration(rank: 2, alpha: 2, targets: ["k_proj"]), base: base)
        let good = AdapterWeights(layout: layout)
        func attempt(_ name: String, config: String? = nil, tensors: [TensorSource]? = nil, bytes: [UInt8]? = nil) {
            let path = "\(scratch.path)/\(UUID().uuidString)"
            #expect(throws: (any Error).self, "\(name)") {
                try AdapterDirectory.write(
                    to: path, configuration: layout.configuration, tensors: tensors ?? good.sources)
                if let config {
                    try Data(config.utf8).write(to: URL(fileURLWithPath: "\(path)/adapter_config.json"))
                }
                if let bytes {
                    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/adapter_model.safetensors"))
                }
                _ = try AdapterDirectory(opening: path).factors(for: base, kernels: kernels)
            }
        }
        attempt("no JSON", config: "{")
        attempt("too large", config: String(repeating: " ", count: 1 << 21))
        attempt("deep", config: String(repeating: "[", count: 10_000))
        attempt("a list", config: "[]")
        attempt("truncated", bytes: [1, 2, 3])
        attempt("huge header", bytes: [255, 255, 255, 255, 255, 255, 255, 127])
        attempt("missing", tensors: Array(good.sources.dropLast()))
        attempt("unexpected", tensors: good.sources + [TensorSource(name: "x", type: .float32, shape: [0], bytes: [])])
        attempt("another rank", config: layout.configuration.adapterJSON.line.replacing("\"r\":2", with: "\"r\":3"))
        attempt("a huge rank", config: layout.configuration.adapterJSON.line.replacing("\"r\":2", with: "\"r\":1024"))
        attempt(
            "integers",
            tensors: layout.slices.map {
                TensorSource(
                    name: $0.name, type: .int32, shape: $0.shape, bytes: Array(repeating: 0, count: 4 * $0.count))
            })
        attempt(
            "not a number",
            tensors: layout.slices.map {
                TensorSource(
                    name: $0.name, type: .bfloat16, shape: $0.shape, bytes: Array(repeating: 0xFF, count: 2 * $0.count))
            })
        #expect(throws: (any Error).self) { try AdapterDirectory(opening: "\(scratch.path)/nothing") }
    }

    @Test("mutated configurations neither crash nor mean something else than they say")
    func fuzz() throws {
        let text = Array(try read(["use_dora": false, "rank_pattern": [:]]).adapterJSON.line.utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            guard let document = try? JSONValue.parse(bytes),
                let found = try? AdapterConfiguration(adapterJSON: document, place: "fuzz")
            else { continue }
            #expect(AdapterConfiguration.ranks.contains(found.rank) && found.scale.isFinite && found.scale > 0)
        }
    }
}
