/// The shapes that `apus model new` makes.
public enum ModelShape: String, Sendable, CaseIterable {
    /// 82,304 parameters: the demo's.
    case nano
    /// About 1 M parameters.
    case tiny
    /// About 15 M parameters.
    case small
    /// The shape of SmolLM2-135M, a Llama.
    case s
    /// The shape of Qwen3-0.6B.
    case q

    /// The sizes of the shape.
    public var configuration: ModelConfiguration {
        switch self {
        case .nano:
            ModelConfiguration(
                vocabularySize: 128, hiddenSize: 64, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 16,
                intermediateSize: 128, maxPositions: 1024)
        case .tiny:
            ModelConfiguration(
                vocabularySize: 256, hiddenSize: 128, layers: 5, heads: 4, keyValueHeads: 2, headDimension: 32,
                intermediateSize: 384, maxPositions: 2048)
        case .small:
            ModelConfiguration(
                vocabularySize: 256, hiddenSize: 384, layers: 8, heads: 6, keyValueHeads: 2, headDimension: 64,
                intermediateSize: 1280, maxPositions: 4096)
        case .s:
            ModelConfiguration(
                vocabularySize: 49_152, hiddenSize: 576, layers: 30, heads: 9, keyValueHeads: 3, headDimension: 64,
                intermediateSize: 1536, rmsEpsilon: 1e-5, ropeTheta: 100_000, maxPositions: 8192, qkNorm: false)
        case .q:
            ModelConfiguration(
                vocabularySize: 151_936, hiddenSize: 1024, layers: 28, heads: 16, keyValueHeads: 8, headDimension: 128,
                intermediateSize: 3072, ropeTheta: 1_000_000, maxPositions: 40_960)
        }
    }
}
