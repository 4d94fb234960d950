@testable import Transformer

/// Small models whose sizes are multiples of nothing convenient.
enum OddShape {
    /// Grouped queries (three to one), an odd width, a head that is not a multiple of a vector.
    static let small = ModelConfiguration(
        vocabularySize: 131, hiddenSize: 37, layers: 2, heads: 6, keyValueHeads: 2, headDimension: 10,
        intermediateSize: 53, rmsEpsilon: 1e-6, ropeTheta: 10_000, tieEmbeddings: true, maxPositions: 512)
    /// No q/k norm, an output projection of its own, one key head, a vocabulary of more than one block.
    static let llama = ModelConfiguration(
        vocabularySize: 2_500, hiddenSize: 50, layers: 3, heads: 5, keyValueHeads: 1, headDimension: 6,
        intermediateSize: 31, rmsEpsilon: 1e-5, ropeTheta: 500_000, tieEmbeddings: false, maxPositions: 512,
        qkNorm: false)
    /// One layer with more than 2^20 matrix weights, so that the pool works inside the products.
    static let wide = ModelConfiguration(
        vocabularySize: 6_200, hiddenSize: 262, layers: 1, heads: 4, keyValueHeads: 2, headDimension: 18,
        intermediateSize: 1_301, maxPositions: 512)
    /// About the same size, an inner width of whole panels, and everything that a family may add: all biases, a window in one of two layers, stretched rotation.
    static let wideWithEverything = ModelConfiguration(
        vocabularySize: 700, hiddenSize: 262, layers: 2, heads: 9, keyValueHeads: 3, headDimension: 18,
        intermediateSize: 1_296, tieEmbeddings: false, maxPositions: 512, qkNorm: false, attentionBias: true,
        attentionOutputBias: true, mlpBias: true, ropeScaling: .linear(factor: 3), slidingWindow: 21,
        windowedLayers: [1], unrotatedLayers: [0])
}
