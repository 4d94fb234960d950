import Tensors

/// What the decoder reads of one layer, looked up once.
struct LayerPlan {
    let inputNorm: UnsafePointer<BFloat16Bits>
    let postAttentionNorm: UnsafePointer<BFloat16Bits>
    let queryNorm: UnsafePointer<BFloat16Bits>?
    let keyNorm: UnsafePointer<BFloat16Bits>?
    let matrices: LayerWeights
    let rotary: RotaryTable
    let attention: AttentionShape

    init(_ weights: ModelWeights, layer: Int) {
        let slices = weights.layout.layers[layer]
        inputNorm = weights[slices.inputNorm]
        postAttentionNorm = weights[slices.postAttentionNorm]
        queryNorm = slices.queryNorm.map { weights[$0] }
        keyNorm = slices.keyNorm.map { weights[$0] }
        matrices = weights.layers[layer]
        rotary = weights.rotary(layer: layer)
        attention = AttentionShape(weights.configuration, layer: layer)
    }
}
