import JSON
import Tensors
import Testing

@testable import Transformer

/// The keys of `config.json` as well-known models publish them, and the number of parameters that those models have.
@Suite("Published configuration files")
struct PublishedFilesTests {
    private static let smolLM2 = """
        {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 0, "eos_token_id": 0,
         "hidden_act": "silu", "hidden_size": 576, "intermediate_size": 1536, "is_llama_config": true,
         "max_position_embeddings": 8192, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 9,
         "num_hidden_layers": 30, "num_key_value_heads": 3, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
         "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000, "tie_word_embeddings": true,
         "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 49152}
        """
    private static let llama32 = """
        {"model_type": "llama", "attention_bias": false, "eos_token_id": [128001, 128008, 128009], "head_dim": 64,
         "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 8192, "max_position_embeddings": 131072,
         "mlp_bias": false, "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
         "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
         "tie_word_embeddings": true, "vocab_size": 128256}
        """
    private static let tinyLlama = """
        {"model_type": "llama", "attention_bias": false, "hidden_act": "silu", "hidden_size": 2048,
         "intermediate_size": 5632, "max_position_embeddings": 2048, "num_attention_heads": 32,
         "num_hidden_layers": 22, "num_key_value_heads": 4, "rms_norm_eps": 1e-05, "rope_scaling": null,
         "tie_word_embeddings": false, "vocab_size": 32000}
        """
    private static let mistral = """
        {"model_type": "mistral", "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
         "max_position_embeddings": 32768, "num_attention_heads": 32, "num_hidden_layers": 32,
         "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
         "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32000}
        """
    private static let qwen25 = """
        {"model_type": "qwen2", "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 3584,
         "intermediate_size": 18944, "max_position_embeddings": 131072, "max_window_layers": 28,
         "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-06,
         "rope_theta": 1000000.0, "sliding_window": 131072, "tie_word_embeddings": false, "use_mrope": false,
         "use_sliding_window": false, "vocab_size": 152064}
        """
    private static let smallQwen25 = """
        {"model_type": "qwen2", "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
         "max_position_embeddings": 32768, "max_window_layers": 24, "num_attention_heads": 14,
         "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
         "sliding_window": 32768, "tie_word_embeddings": true, "use_sliding_window": false, "vocab_size": 151936}
        """
    private static let qwen3 = """
        {"model_type": "qwen3", "attention_bias": false, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024,
         "intermediate_size": 3072, "max_position_embeddings": 40960, "max_window_layers": 28,
         "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
         "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true,
         "use_sliding_window": false, "vocab_size": 151936}
        """
    private static let smolLM3 = """
        {"model_type": "smollm3", "attention_bias": false, "hidden_act": "silu", "hidden_size": 2048,
         "intermediate_size": 11008, "max_position_embeddings": 65536, "max_window_layers": 28, "mlp_bias": false,
         "no_rope_layer_interval": 4, "num_attention_heads": 16, "num_hidden_layers": 36, "num_key_value_heads": 4,
         "pretraining_tp": 2, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 5000000.0,
         "sliding_window": null, "use_sliding_window": false, "vocab_size": 128256}
        """

    @Test(
        "the file is read, and the layout has the model's number of parameters",
        arguments: [
            (smolLM2, 134_515_008), (llama32, 1_235_814_400), (tinyLlama, 1_100_048_384), (mistral, 7_241_732_096),
            (qwen25, 7_615_616_512), (smallQwen25, 494_032_768), (qwen3, 596_049_920), (smolLM3, 3_075_098_624),
        ])
    func parameters(text: String, count: Int) throws {
        let configuration = try ModelConfiguration(configJSON: JSONValue.parse(text), place: "config.json")
        #expect(ParameterLayout(configuration).parameterCount == count)
        let written = try configuration.configJSON()
        #expect(try ModelConfiguration(configJSON: written, place: "config.json") == configuration)
    }

    @Test("what the files say beside sizes arrives")
    func switches() throws {
        func read(_ text: String) throws -> ModelConfiguration {
            try ModelConfiguration(configJSON: JSONValue.parse(text), place: "config.json")
        }
        #expect(
            try read(Self.llama32).ropeScaling
                == .llama3(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192))
        #expect(try read(Self.mistral).window(layer: 31) == 4096)
        #expect(try read(Self.qwen25).slidingWindow == nil && read(Self.qwen25).attentionBias)
        #expect(try read(Self.tinyLlama).ropeTheta == 10_000)
        #expect(try read(Self.smolLM3).unrotatedLayers == [3, 7, 11, 15, 19, 23, 27, 31, 35])
        #expect(try read(Self.smolLM3).tieEmbeddings)
        let interleaved = Self.smolLM2.replacing("\"rope_interleaved\": false", with: "\"rope_interleaved\": true")
        #expect(throws: ModelError.self) { try read(interleaved) }
    }
}
