extension ModelFamily {
    /// Mistral 7B and its relatives.
    ///
    /// No biases. `sliding_window` is a number for all layers, or null; a file without the key would silently get a
    /// window of 4096 in `transformers`, so it is asked for.
    static let mistral = ModelFamily(
        modelType: "mistral", architecture: "MistralForCausalLM",
        read: { reader in
            var model = reader.sizes()
            if reader.document["sliding_window"] != .null {
                model.slidingWindow = reader.integer("sliding_window")
                model.windowedLayers = Array(0..<reader.boundedLayers(model.layers))
            }
            reader.requireLayerTypes(
                model.slidingWindow == nil ? "full_attention" : "sliding_attention", layers: model.layers)
            return model
        },
        write: { model in
            ["sliding_window": model.slidingWindow.map { .integer($0) } ?? .null]
        })
}
