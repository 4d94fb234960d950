extension ModelFamily {
    /// Llama 1 to 3, SmolLM, SmolLM2, TinyLlama and the many others whose file says `llama`.
    ///
    /// `attention_bias` is for q, k, v and o alike, `mlp_bias` for gate, up and down. The first Llamas have neither
    /// `num_key_value_heads` nor `rope_theta` in their files: one per head, and 10,000.
    static let llama = ModelFamily(
        modelType: "llama", architecture: "LlamaForCausalLM",
        read: { reader in
            var model = reader.sizes(optionalKeyValueHeads: true, rotaryBase: 10_000)
            let bias = reader.flag("attention_bias", or: false)
            (model.attentionBias, model.attentionOutputBias) = (bias, bias)
            model.mlpBias = reader.flag("mlp_bias", or: false)
            reader.requireLayerTypes("full_attention", layers: model.layers)
            return model
        },
        write: { model in
            ["attention_bias": .bool(model.attentionBias), "mlp_bias": .bool(model.mlpBias)]
        })
}
