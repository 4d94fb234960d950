import JSON
import Safetensors
import Testing

@testable import Transformer

@Suite("Model configuration")
struct ModelConfigurationTests {
    private func parse(_ text: String) throws -> ModelConfiguration {
        try ModelConfiguration(configJSON: JSONValue.parse(Array(text.utf8)), place: "config.json")
    }

    private static let minimal = """
        {"model_type": "qwen3", "vocab_size": 128, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 128, "rms_norm_eps": 1e-06,
         "rope_theta": 10000, "max_position_embeddings": 1024, "tie_word_embeddings": true, "unknown_key": {"x": [1]}}
        """

    @Test("the shapes have the sizes that they promise")
    func shapes() {
        func parameters(_ shape: ModelShape) -> Int { ParameterLayout(shape.configuration).parameterCount }
        #expect(parameters(.nano) == 82_304)
        #expect((900_000...1_100_000).contains(parameters(.tiny)))
        #expect((14_000_000...16_000_000).contains(parameters(.small)))
        #expect(parameters(.s) == 134_515_008)
        #expect(parameters(.q) == 596_049_920)
    }

    @Test("what is written is read again", arguments: ModelShape.allCases)
    func roundTrip(shape: ModelShape) throws {
        let configuration = shape.configuration
        #expect(try parse(configuration.configJSON().indentedText) == configuration)
    }

    @Test("a Hugging Face file is read, unknown keys tolerated, either form of the rotary base")
    func huggingFace() throws {
        #expect(try parse(Self.minimal) == ModelShape.nano.configuration)
        let newer = Self.minimal.replacing(
            "\"rope_theta\": 10000", with: "\"rope_parameters\": {\"rope_theta\": 10000.0, \"rope_type\": \"default\"}")
        #expect(try parse(newer) == ModelShape.nano.configuration)
        let llama = """
            {"model_type": "llama", "vocab_size": 10, "hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 3,
             "num_key_value_heads": null, "intermediate_size": 8, "rms_norm_eps": 1e-5, "rope_theta": 1e4,
             "max_position_embeddings": 64, "rope_scaling": null}
            """
        let configuration = try parse(llama)
        #expect(configuration.headDimension == 4 && configuration.keyValueHeads == 3)
        #expect(!configuration.qkNorm && !configuration.tieEmbeddings)
    }

    @Test("missing keys are named all at once")
    func missing() throws {
        let error = #expect(throws: ModelError.self) { try parse(#"{"model_type": "qwen3", "hidden_size": "64"}"#) }
        let text = try #require(error?.description)
        for key in [
            "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
            "intermediate_size", "rms_norm_eps", "rope_theta", "max_position_embeddings",
        ] {
            #expect(text.contains(key))
        }
    }

    @Test("an unknown family lists the known ones")
    func unknownFamily() {
        let error = #expect(throws: ModelError.self) { try parse(#"{"model_type": "gpt2"}"#) }
        #expect(error?.code == .unsupported)
        #expect(error?.description.contains("llama, mistral, qwen2, qwen3, smollm3") == true)
        #expect(throws: ModelError.self) { try parse("{}") }
        #expect(throws: ModelError.self) { try parse("[]") }
    }

    @Test(
        "values that cannot be computed are refused",
        arguments: [
            ("\"vocab_size\": 128", "\"vocab_size\": 0"), ("\"vocab_size\": 128", "\"vocab_size\": 1e3"),
            ("\"hidden_size\": 64", "\"hidden_size\": -64"),
            ("\"hidden_size\": 64", "\"hidden_size\": 9223372036854775807"),
            ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"), ("\"head_dim\": 16", "\"head_dim\": 15"),
            ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 100000000"), ("1e-06", "0.0"), ("1e-06", "1e300"),
            ("\"rope_theta\": 10000", "\"rope_theta\": 0"), ("\"rope_theta\": 10000", "\"rope_theta\": \"x\""),
            ("\"unknown_key\": {\"x\": [1]}", "\"attention_bias\": 1"),
            ("\"unknown_key\": {\"x\": [1]}", "\"hidden_act\": \"gelu\""),
            ("\"unknown_key\": {\"x\": [1]}", "\"layer_types\": [\"full_attention\", \"sliding_attention\"]"),
            ("\"unknown_key\": {\"x\": [1]}", "\"use_sliding_window\": true"),
            ("\"unknown_key\": {\"x\": [1]}", "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0}"),
        ])
    func refused(from: String, to: String) throws {
        let text = Self.minimal.replacing(from, with: to)
        #expect(text != Self.minimal)
        #expect(throws: ModelError.self) { try parse(text) }
    }

    @Test("stop tokens are a number, a list, or absent, and must be in the vocabulary")
    func generation() throws {
        func read(_ text: String) throws -> GenerationConfiguration {
            try GenerationConfiguration(json: JSONValue.parse(Array(text.utf8)), vocabularySize: 128, place: "g")
        }
        #expect(try read(#"{"eos_token_id": 10, "pad_token_id": 0}"#) == .byteLevel)
        #expect(try read(#"{"eos_token_id": [10, 11]}"#).stopTokens == [10, 11])
        #expect(try read("{}").stopTokens.isEmpty)
        #expect(throws: ModelError.self) { try read(#"{"eos_token_id": 128}"#) }
        #expect(throws: ModelError.self) { try read(#"{"eos_token_id": -1}"#) }
        #expect(throws: ModelError.self) { try read(#"{"eos_token_id": "10"}"#) }
        for value in [GenerationConfiguration.byteLevel, .init(stopTokens: [1, 2, 3]), .init(stopTokens: [])] {
            #expect(try read(value.json.indentedText) == value)
        }
    }

    @Test("work is counted per matrix and per position seen")
    func work() {
        let nano = ModelShape.nano.configuration
        // 36,864 matrix weights a layer; positions 0, 1, 2 see 1, 2, 3 positions; queries are 64 wide.
        #expect(nano.matrixParametersPerLayer == 36_864)
        #expect(nano.forwardFLOPs(promptTokens: 3, completionTokens: 1) == 2 * (2 * 36_864 * 3 + 4 * 64 * 6) + 2 * 8192)
        let alone = nano.forwardFLOPs(promptTokens: 5, completionTokens: 4)
        #expect(nano.forwardFLOPs(promptTokens: 5, completionTokens: [4]) == alone)
        let prompt = nano.forwardFLOPs(promptTokens: 5, completionTokens: 0)
        #expect(nano.forwardFLOPs(promptTokens: 5, completionTokens: [4, 4, 4]) == 3 * alone - 2 * prompt)
    }

    @Test("a windowed layer's work is that of what its queries see")
    func windowedWork() {
        var configuration = ModelShape.nano.configuration
        let whole = configuration.forwardFLOPs(promptTokens: 6, completionTokens: 1)
        (configuration.slidingWindow, configuration.windowedLayers) = (4, [1])
        // Positions 4 and 5 see 4 instead of 5 and 6; queries are 64 wide.
        #expect(configuration.forwardFLOPs(promptTokens: 6, completionTokens: 1) == whole - 4 * 64 * 3)
        for window in 1...9 {
            configuration.slidingWindow = window
            for (start, end) in [(0, 5), (3, 9), (7, 20)] {
                let seen = (start..<end).reduce(0) { $0 + min($1 + 1, window) + $1 + 1 }
                let work = configuration.forwardFLOPs(promptTokens: start, completionTokens: [end - start + 1])
                let before = configuration.forwardFLOPs(promptTokens: start, completionTokens: [1])
                #expect(
                    work - before
                        == 4 * 64 * seen + 2 * (2 * configuration.matrixParametersPerLayer + 8192) * (end - start))
            }
        }
    }

    @Test("mutated files are refused or give a configuration that can be computed")
    func mutations() {
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let original = Array(Self.minimal.utf8)
        let interesting = Array("0123456789-.eE\"{}[]:,tn".utf8)
        var accepted = 0
        for _ in 0..<5_000 {
            var bytes = original
            for _ in 0...next(3) {
                let place = next(bytes.count)
                if next(2) == 0 {
                    bytes[place] = interesting[next(interesting.count)]
                } else {
                    bytes.insert(interesting[next(interesting.count)], at: place)
                }
            }
            guard let document = try? JSONValue.parse(bytes),
                let configuration = try? ModelConfiguration(configJSON: document, place: "config.json")
            else { continue }
            accepted += 1
            #expect(configuration.heads % configuration.keyValueHeads == 0)
            #expect(ModelInspection(configuration).parameters > 0)
        }
        #expect(accepted > 20)
    }
}
