import Foundation
import JSON
import Tensors
import Testing

@testable import Transformer

/// What each family's `config.json` says and does not say.
@Suite("Configuration of the families")
struct FamilyConfigurationTests {
    /// A file with the keys that all families need, and changes to it; nil removes a key.
    private func read(_ type: String, _ changes: [String: JSONValue?] = [:]) throws -> ModelConfiguration {
        var members: [String: JSONValue] = [
            "model_type": .string(type), "vocab_size": 64, "hidden_size": 48, "num_hidden_layers": 4,
            "num_attention_heads": 6, "num_key_value_heads": 2, "intermediate_size": 80, "rms_norm_eps": 1e-5,
            "rope_theta": 10_000, "max_position_embeddings": 512, "sliding_window": nil, "head_dim": 8,
        ]
        for (key, value) in changes { members[key] = value }
        return try ModelConfiguration(configJSON: .object(JSONObject(members)), place: "config.json")
    }

    private func refusal(_ type: String, _ changes: [String: JSONValue?]) -> String {
        let error = #expect(throws: ModelError.self, "\(changes)") { try read(type, changes) }
        return error?.description ?? ""
    }

    @Test("biases follow the family, and for some a key")
    func biases() throws {
        func biases(_ configuration: ModelConfiguration) -> [Bool] {
            [configuration.attentionBias, configuration.attentionOutputBias, configuration.mlpBias]
        }
        let all: [String: JSONValue?] = ["attention_bias": true, "mlp_bias": true]
        #expect(biases(try read("llama")) == [false, false, false])
        #expect(biases(try read("llama", all)) == [true, true, true])
        #expect(biases(try read("mistral", all)) == [false, false, false])
        #expect(biases(try read("qwen2", all)) == [true, false, false])
        #expect(biases(try read("qwen2", ["attention_bias": false])) == [true, false, false])
        #expect(biases(try read("qwen3", all)) == [true, true, false])
        #expect(biases(try read("smollm3", all)) == [true, true, true])
        #expect(try read("qwen3").qkNorm && !read("qwen2").qkNorm)
        #expect(refusal("llama", ["mlp_bias": "yes"]).contains("mlp_bias must be true or false"))
    }

    @Test("what a file may leave out has the value that transformers gives it")
    func defaults() throws {
        for type in ModelConfiguration.supportedModelTypes {
            #expect(try read(type).tieEmbeddings == (type == "smollm3"))
            #expect(try read(type, ["tie_word_embeddings": true]).tieEmbeddings)
            #expect(try !read(type, ["tie_word_embeddings": false]).tieEmbeddings)
            #expect(try read(type, ["num_key_value_heads": .some(.null)]).keyValueHeads == 6)
            #expect(try read(type, ["hidden_act": .some(.null)]).modelType == type)
            if type != "qwen3" { #expect(try read(type, ["head_dim": .some(nil)]).headDimension == 8) }
        }
        #expect(try read("llama", ["num_key_value_heads": .none, "head_dim": .none]).keyValueHeads == 6)
        #expect(try read("llama", ["rope_theta": .none]).ropeTheta == 10_000)
        #expect(try read("smollm3", ["rope_theta": .none]).ropeTheta == 2_000_000)
        #expect(try read("smollm3").unrotatedLayers == [3])
        #expect(try read("smollm3", ["no_rope_layer_interval": 2]).unrotatedLayers == [1, 3])
        #expect(try read("smollm3", ["no_rope_layers": [0, 1, 1, 1, 0]]).unrotatedLayers == [0])
    }

    @Test("missing keys are named")
    func missing() {
        let needed = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"]
        for type in ModelConfiguration.supportedModelTypes {
            for key in needed + ["rms_norm_eps", "max_position_embeddings"] {
                #expect(refusal(type, [key: .none]).contains("missing or not numbers: \(key)."), "\(type)")
            }
        }
        #expect(refusal("mistral", ["sliding_window": .none]).contains("sliding_window"))
        #expect(refusal("qwen3", ["head_dim": .none]).contains("head_dim"))
        for type in ["mistral", "qwen2", "qwen3", "smollm3"] {
            #expect(refusal(type, ["num_key_value_heads": .none]).contains("num_key_value_heads"))
        }
        #expect(refusal("qwen2", ["rope_theta": .none]).contains("rope_theta"))
    }

    @Test("windows: Mistral's for all layers, Qwen's and SmolLM3's behind a switch")
    func windows() throws {
        func windows(_ configuration: ModelConfiguration) -> [Int?] { (0..<4).map(configuration.window(layer:)) }
        let none: [Int?] = [nil, nil, nil, nil]
        #expect(windows(try read("mistral")) == none)
        #expect(windows(try read("mistral", ["sliding_window": 9])) == [9, 9, 9, 9])
        #expect(windows(try read("llama", ["sliding_window": 9])) == none)
        for type in ["qwen2", "qwen3"] {
            let on: [String: JSONValue?] = ["use_sliding_window": true, "sliding_window": 9]
            #expect(windows(try read(type, ["sliding_window": 9, "max_window_layers": 1])) == none)
            #expect(windows(try read(type, on)) == none, "the first 28 layers see everything")
            #expect(windows(try read(type, on.merging(["max_window_layers": 1]) { $1 })) == [nil, 9, 9, 9])
            let types: JSONValue = ["full_attention", "sliding_attention", "full_attention", "sliding_attention"]
            #expect(
                windows(try read(type, on.merging(["layer_types": types, "max_window_layers": 0]) { $1 }))
                    == [nil, 9, nil, 9])
            #expect(refusal(type, ["layer_types": types]).contains("use_sliding_window"))
            #expect(refusal(type, ["use_sliding_window": true]).contains("sliding_window"))
            let foreign: JSONValue = ["full_attention", "chunked_attention", "full_attention", "full_attention"]
            #expect(refusal(type, on.merging(["layer_types": foreign]) { $1 }).contains("chunked_attention"))
            #expect(refusal(type, ["layer_types": ["full_attention"]]).contains("each of the 4 layers"))
        }
        let smol: [String: JSONValue?] = ["use_sliding_window": true, "sliding_window": 9]
        #expect(windows(try read("smollm3", smol)) == [nil, nil, nil, 9])
        let mixed: JSONValue = ["full_attention", "full_attention", "full_attention", "sliding_attention"]
        #expect(refusal("mistral", ["sliding_window": 9, "layer_types": mixed]).contains("mixes"))
        #expect(refusal("llama", ["layer_types": mixed]).contains("mixes"))
        #expect(refusal("mistral", ["sliding_window": 0]).contains("sliding_window is 0"))
    }

    @Test("rotary settings are read in the older and the newer form")
    func rotary() throws {
        let llama3: JSONValue = [
            "rope_type": "llama3", "factor": 8, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        ]
        let expected = RotaryScaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192)
        #expect(try read("llama", ["rope_scaling": llama3]).ropeScaling == expected)
        #expect(try read("qwen2", ["rope_parameters": llama3]).ropeScaling == expected)
        #expect(
            try read("llama", ["rope_scaling": ["type": "linear", "factor": 2.5]]).ropeScaling == .linear(factor: 2.5))
        #expect(try read("llama", ["rope_scaling": .some(.null)]).ropeScaling == .none)
        #expect(try read("llama", ["rope_parameters": [:]]).ropeScaling == .none)
        // A base inside counts before one outside; rope_scaling counts before rope_parameters.
        let inside: JSONValue = ["rope_type": "linear", "factor": 4, "rope_theta": 77]
        #expect(try read("llama", ["rope_parameters": inside]).ropeTheta == 77)
        #expect(try read("qwen2", ["rope_parameters": inside, "rope_theta": .none]).ropeTheta == 77)
        let both = try read("llama", ["rope_parameters": inside, "rope_scaling": ["type": "linear", "factor": 2]])
        #expect(both.ropeScaling == .linear(factor: 2) && both.ropeTheta == 10_000)
        // Without its own length llama3 takes the model's; a length outside counts first.
        let short: JSONValue = ["rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4]
        guard case .llama3(_, _, _, 512) = try read("llama", ["rope_scaling": short]).ropeScaling else {
            Issue.record("the model's length is the default")
            return
        }
    }

    @Test(
        "rotary settings that cannot be computed are named",
        arguments: [
            (#"{"rope_type": "yarn", "factor": 4.0}"#, "yarn"), (#"{"rope_type": "dynamic", "factor": 2}"#, "dynamic"),
            (#"{"type": "longrope"}"#, "longrope"), (#"{"rope_type": 3}"#, "no text"), ("[1]", "must be an object"),
            (#"{"rope_type": "linear"}"#, "rope_scaling.factor"),
            (#"{"rope_type": "linear", "factor": 0.5}"#, "factor of the rotary scaling is 0.5"),
            (#"{"rope_type": "linear", "factor": "2"}"#, "rope_scaling.factor"),
            (#"{"rope_type": "llama3", "factor": 8}"#, "low_freq_factor"),
            (#"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}"#, "high_freq_factor"),
            (#"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 0, "high_freq_factor": 4}"#, "low_freq_factor"),
            (
                #"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 0}"#,
                "original_max_position_embeddings"
            ),
            (#"{"full_attention": {"rope_type": "default"}}"#, "full_attention"),
            (#"{"rope_type": "default", "partial_rotary_factor": 0.5}"#, "partial_rotary_factor"),
        ])
    func rotaryRefused(settings: String, named: String) throws {
        let value = try JSONValue.parse(settings)
        for type in ModelConfiguration.supportedModelTypes {
            #expect(refusal(type, ["rope_scaling": value]).contains(named))
        }
    }

    @Test("other switches that cannot be computed are named")
    func variants() {
        for type in ModelConfiguration.supportedModelTypes {
            #expect(refusal(type, ["hidden_act": "gelu"]).contains("hidden_act is \"gelu\""))
            #expect(refusal(type, ["hidden_act": 1]).contains("hidden_act"))
            #expect(refusal(type, ["quantization_config": ["bits": 4]]).contains("quantization_config"))
            #expect(refusal(type, ["partial_rotary_factor": 0.25]).contains("partial_rotary_factor"))
            #expect(refusal(type, ["tie_word_embeddings": 1]).contains("tie_word_embeddings"))
        }
        #expect(refusal("smollm3", ["no_rope_layers": [1, 0]]).contains("no_rope_layers"))
        #expect(refusal("smollm3", ["no_rope_layers": [1, 0, 2, 1]]).contains("no_rope_layers"))
        #expect(refusal("smollm3", ["no_rope_layer_interval": 0]).contains("no_rope_layer_interval"))
        #expect(refusal("mixtral", [:]).contains("computes llama, mistral, qwen2, qwen3, smollm3"))
    }

    @Test("every fixture's file is read, written and read again", arguments: FamilyFixture.names)
    func written(name: String) throws {
        let original = try ModelDirectory.configuration(at: try FamilyFixture.folder(name))
        let text = try original.configJSON(generation: GenerationConfiguration(stopTokens: [2, 3])).indentedText
        let document = try JSONValue.parse(text)
        #expect(try ModelConfiguration(configJSON: document, place: "config.json") == original)
        #expect(document["eos_token_id"] == [2, 3] && document["pad_token_id"] == .null)
    }

    @Test("a family's file that cannot say a configuration is not written")
    func unspeakable() {
        let changes: [(inout ModelConfiguration) -> Void] = [
            { $0.modelType = "mistral" }, { $0.modelType = "qwen2" }, { $0.modelType = "gpt2" },
            { $0.attentionBias = true }, { $0.mlpBias = true }, { $0.unrotatedLayers = [0] },
            { ($0.modelType, $0.slidingWindow, $0.windowedLayers, $0.qkNorm) = ("mistral", 7, [1], false) },
            { ($0.modelType, $0.slidingWindow, $0.windowedLayers, $0.qkNorm) = ("llama", 7, [0, 1], false) },
            { $0.slidingWindow = 7 }, { $0.windowedLayers = [1] }, { $0.ropeTheta = .infinity },
            { ($0.slidingWindow, $0.windowedLayers) = (7, [2]) }, { $0.ropeScaling = .linear(factor: .nan) },
        ]
        for change in changes {
            var configuration = ModelShape.nano.configuration
            change(&configuration)
            #expect(throws: ModelError.self, "\(configuration)") { try configuration.configJSON() }
        }
    }

    @Test("mutated files of every family are refused or give a configuration that can be computed and written")
    func mutations() throws {
        var state: UInt64 = 99
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let interesting = Array("0123456789-.eE\"{}[]:,tnfl".utf8)
        let numbers = [
            "-1", "0", "1", "2147483648", "9223372036854775807", "1e308", "-0.0", "null", "true", "[]", "{}",
        ]
        var accepted = 0
        for name in FamilyFixture.names {
            let file = URL(fileURLWithPath: try FamilyFixture.folder(name)).appending(path: "config.json")
            let original = try String(contentsOf: file, encoding: .utf8)
            let lines = original.split(separator: "\n")
            for _ in 0..<1_500 {
                var bytes = Array(original.utf8)
                switch next(3) {
                case 0:  // Bytes changed or inserted.
                    for _ in 0...next(3) {
                        let place = next(bytes.count)
                        bytes.replaceSubrange(place..<place + next(2), with: [interesting[next(interesting.count)]])
                    }
                case 1:  // A line left out.
                    var fewer = lines
                    fewer.remove(at: next(lines.count))
                    bytes = Array(fewer.joined(separator: "\n").utf8)
                default:  // A value replaced.
                    var other = lines.map(String.init)
                    let place = next(lines.count)
                    guard let colon = other[place].firstIndex(of: ":") else { continue }
                    let comma = other[place].hasSuffix(",") ? "," : ""
                    other[place] = other[place][...colon] + numbers[next(numbers.count)] + comma
                    bytes = Array(other.joined(separator: "\n").utf8)
                }
                guard let document = try? JSONValue.parse(bytes),
                    let configuration = try? ModelConfiguration(configJSON: document, place: "config.json")
                else { continue }
                accepted += 1
                #expect(configuration.heads % configuration.keyValueHeads == 0)
                #expect(ModelInspection(configuration).parameters > 0)
                #expect(configuration.forwardFLOPs(promptTokens: 5, completionTokens: 70) > 0)
                #expect(throws: Never.self) { try configuration.configJSON() }
            }
        }
        #expect(accepted > 1_000)
    }
}
