import JSON

extension ModelFamily {
    /// Qwen2 and Qwen2.5.
    ///
    /// q, k and v always have biases and o never; no key says so. The window is off in every published file.
    static let qwen2 = ModelFamily(
        modelType: "qwen2", architecture: "Qwen2ForCausalLM",
        read: { reader in
            var model = reader.sizes()
            model.attentionBias = true
            reader.readQwenWindow(&model)
            return model
        },
        write: { qwenWindow($0) })

    /// The keys of the window, which Qwen2 and Qwen3 share.
    static func qwenWindow(_ model: ModelConfiguration) -> [String: JSONValue] {
        [
            "layer_types": .array(
                (0..<model.layers).map { layer in
                    .string(model.window(layer: layer) == nil ? "full_attention" : "sliding_attention")
                }),
            "max_window_layers": .integer(model.windowedLayers.first ?? model.layers),
            "sliding_window": model.slidingWindow.map { .integer($0) } ?? .null,
            "use_sliding_window": .bool(model.slidingWindow != nil),
        ]
    }
}

extension ConfigurationReader {
    /// `use_sliding_window`, with the first `max_window_layers` layers seeing everything, or newer `layer_types`.
    mutating func readQwenWindow(_ model: inout ModelConfiguration) {
        let first = value("max_window_layers") == nil ? 28 : integer("max_window_layers")
        (model.slidingWindow, model.windowedLayers) = switchedWindow(layers: model.layers) { $0 >= first }
    }
}
