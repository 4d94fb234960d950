import JSON

extension ModelFamily {
    /// SmolLM3: a Llama in which every fourth layer does not rotate queries and keys.
    ///
    /// `no_rope_layers` holds 1 for a layer that rotates and 0 for one that does not. Embeddings are tied unless the file
    /// says otherwise, and the rotary base is 2,000,000. A window is for the layers that do not rotate.
    static let smolLM3 = ModelFamily(
        modelType: "smollm3", architecture: "SmolLM3ForCausalLM",
        read: { reader in
            var model = reader.sizes(rotaryBase: 2_000_000, tied: true)
            let bias = reader.flag("attention_bias", or: false)
            (model.attentionBias, model.attentionOutputBias) = (bias, bias)
            model.mlpBias = reader.flag("mlp_bias", or: false)
            let unrotated = reader.unrotatedLayers(model.layers)
            model.unrotatedLayers = unrotated
            (model.slidingWindow, model.windowedLayers) = reader.switchedWindow(layers: model.layers) {
                unrotated.contains($0)
            }
            return model
        },
        write: { model in
            qwenWindow(model).filter { $0.key != "max_window_layers" }.merging([
                "attention_bias": .bool(model.attentionBias), "mlp_bias": .bool(model.mlpBias),
                "no_rope_layers": .array((0..<model.layers).map { .integer(model.isRotated(layer: $0) ? 1 : 0) }),
            ]) { own, _ in own }
        })
}

extension ConfigurationReader {
    /// The layers of `no_rope_layers`, or every `no_rope_layer_interval`-th where there is no list.
    fileprivate mutating func unrotatedLayers(_ layers: Int) -> [Int] {
        guard let value = value("no_rope_layers") else {
            let interval = integer("no_rope_layer_interval", or: 4)
            guard interval > 0 else {
                refuse("no_rope_layer_interval must be above 0", as: .malformedConfiguration)
                return []
            }
            return (0..<boundedLayers(layers)).filter { ($0 + 1) % interval == 0 }
        }
        guard case .array(let elements) = value, elements.count >= layers,
            elements.allSatisfy({ $0.integer == 0 || $0.integer == 1 })
        else {
            refuse(
                "no_rope_layers must be a list of 0 or 1 for each of the \(layers) layers", as: .malformedConfiguration)
            return []
        }
        return elements.prefix(boundedLayers(layers)).indices.filter { elements[$0].integer == 0 }
    }
}
