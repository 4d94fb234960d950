import CKernels

/// How the rotary frequencies of a model are stretched to longer texts than it was first trained on.
///
/// A scaling changes the inverse frequencies and nothing else; the names are those of `rope_type` in `config.json`.
public enum RotaryScaling: Codable, Sendable, Hashable {
    /// The frequencies as the base gives them (`default`).
    case none
    /// Every inverse frequency divided by `factor` (`linear`).
    case linear(factor: Double)
    /// Long waves divided by `factor`, short ones kept, the rest between (`llama3`).
    ///
    /// A wave is long beyond `originalMaxPositions / lowFrequencyFactor` positions, and short below
    /// `originalMaxPositions / highFrequencyFactor`.
    case llama3(
        factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalMaxPositions: Int)

    /// The largest factor that is taken from a file.
    public static let largestFactor = 1e6

    /// What is out of range, in a sentence with the key of `config.json`; nil where everything can be computed.
    public var fault: String? {
        func outside(_ name: String, _ value: Double) -> String? {
            value >= 1 && value <= Self.largestFactor
                ? nil : "\(name) of the rotary scaling is \(value), and must be from 1 to \(Self.largestFactor)"
        }
        switch self {
        case .none: return nil
        case .linear(let factor): return outside("factor", factor)
        case .llama3(let factor, let low, let high, let positions):
            if let fault = outside("factor", factor) { return fault }
            guard low > 0, high > low, high <= Self.largestFactor else {
                return "low_freq_factor \(low) must be above 0 and below high_freq_factor \(high)"
            }
            return (1...(1 << 24)).contains(positions)
                ? nil : "original_max_position_embeddings is \(positions), and must be from 1 to \(1 << 24)"
        }
    }

    /// The scaling as the kernels take it.
    var kernelScaling: ck_rotary_scaling {
        switch self {
        case .none: ck_rotary_scaling(kind: CK_ROTARY_PLAIN, factor: 1, low: 1, high: 1, original: 1)
        case .linear(let factor):
            ck_rotary_scaling(kind: CK_ROTARY_LINEAR, factor: factor, low: 1, high: 1, original: 1)
        case .llama3(let factor, let low, let high, let positions):
            ck_rotary_scaling(
                kind: CK_ROTARY_LLAMA3, factor: factor, low: low, high: high, original: Double(positions))
        }
    }
}
