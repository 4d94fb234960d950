/// Bounds the length of the whole gradient.
public struct GradientClipping: Sendable, Equatable, Codable {
    /// The largest global norm that passes unchanged.
    public var maximumNorm: Double

    /// Clipping at a norm.
    public init(maximumNorm: Double) {
        self.maximumNorm = maximumNorm
    }

    /// What every gradient is multiplied by: `min(1, maximumNorm / (norm + 1e-6))`, as torch does.
    public func scale(forNorm norm: Double) -> Double {
        min(1, maximumNorm / (norm + 1e-6))
    }
}
