import Tensors

extension AttentionShape {
    /// The attention of a model without any window: what the scratch of all layers is measured by.
    init(_ configuration: ModelConfiguration) {
        self.init(
            heads: configuration.heads, keyValueHeads: configuration.keyValueHeads,
            headDimension: configuration.headDimension)
    }

    /// The attention of one layer.
    init(_ configuration: ModelConfiguration, layer: Int) {
        self.init(
            heads: configuration.heads, keyValueHeads: configuration.keyValueHeads,
            headDimension: configuration.headDimension, window: configuration.window(layer: layer) ?? 0)
    }
}
