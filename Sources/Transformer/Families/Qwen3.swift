extension ModelFamily {
    /// The dense Qwen3 models.
    ///
    /// Queries and keys are normalised per head, `head_dim` stands in the file, and `attention_bias` is for q, k, v and o
    /// alike.
    static let qwen3 = ModelFamily(
        modelType: "qwen3", architecture: "Qwen3ForCausalLM",
        read: { reader in
            var model = reader.sizes(optionalHeadDimension: false)
            model.qkNorm = true
            let bias = reader.flag("attention_bias", or: false)
            (model.attentionBias, model.attentionOutputBias) = (bias, bias)
            reader.readQwenWindow(&model)
            return model
        },
        write: { model in
            qwenWindow(model).merging(["attention_bias": .bool(model.attentionBias)]) { own, _ in own }
        })
}
