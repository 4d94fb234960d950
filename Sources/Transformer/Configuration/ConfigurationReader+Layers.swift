import JSON

/// Which layers of a `config.json` see a window only.
extension ConfigurationReader {
    /// The window of the files that switch it with `use_sliding_window`.
    ///
    /// - Parameters:
    ///   - layers: the number of layers.
    ///   - otherwise: whether a layer is windowed where the file has no `layer_types`.
    mutating func switchedWindow(
        layers: Int, otherwise: (_ layer: Int) -> Bool
    ) -> (window: Int?, layers: [Int]) {
        var window: Int?
        if flag("use_sliding_window", or: false) {
            window = value("sliding_window") == nil ? nil : integer("sliding_window")
            if window == nil {
                refuse("use_sliding_window is true without a sliding_window", as: .malformedConfiguration)
            }
        }
        guard let types = layerTypes(layers) else {
            guard let window else { return (nil, []) }
            let windowed = (0..<boundedLayers(layers)).filter(otherwise)
            return windowed.isEmpty ? (nil, []) : (window, windowed)
        }
        let windowed = types.indices.filter { types[$0] == "sliding_attention" }
        if window == nil, !windowed.isEmpty {
            refuse(
                "layer_types asks for sliding_attention, and use_sliding_window is not true",
                as: .malformedConfiguration)
        }
        return windowed.isEmpty || window == nil ? (nil, []) : (window, windowed)
    }

    /// The kinds of attention of all layers, where the file lists them.
    mutating func layerTypes(_ layers: Int) -> [String]? {
        guard let value = value("layer_types") else { return nil }
        guard case .array(let elements) = value, elements.count == layers else {
            refuse(
                "layer_types must be a list of one kind for each of the \(layers) layers", as: .malformedConfiguration)
            return nil
        }
        let types = elements.map { $0.string ?? "" }
        if let foreign = types.first(where: { $0 != "full_attention" && $0 != "sliding_attention" }) {
            refuse("layer_types asks for \"\(foreign)\", and full_attention and sliding_attention are computed")
            return nil
        }
        return types
    }

    /// Refuses a list of layer types that says anything else than `type` for every layer.
    mutating func requireLayerTypes(_ type: String, layers: Int) {
        guard let types = layerTypes(layers) else { return }
        if types.contains(where: { $0 != type }) {
            refuse("layer_types mixes kinds of attention, which model_type \"\(family.modelType)\" does not compute")
        }
    }

    /// The number of layers to build lists for, before the file's number was checked.
    func boundedLayers(_ layers: Int) -> Int { min(max(layers, 0), 1024) }
}
