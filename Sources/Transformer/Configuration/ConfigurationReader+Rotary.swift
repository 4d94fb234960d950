import JSON
import Tensors

/// The rotary settings of a `config.json`.
///
/// transformers 5 keeps everything in `rope_parameters`; older files have `rope_theta` beside `rope_scaling`. Where both
/// objects stand in a file, `rope_scaling` counts, as in transformers; a base inside the object counts before one outside.
extension ConfigurationReader {
    /// The base and the scaling.
    mutating func rotary(base otherwise: Double?, maxPositions: Int) -> (base: Double, scaling: RotaryScaling) {
        let key = ["rope_scaling", "rope_parameters"].first { key in
            if case .object(let members)? = value(key) { return !members.isEmpty }
            return false
        }
        let settings = key.flatMap(value)
        for key in ["rope_scaling", "rope_parameters"] where value(key) != nil {
            guard case .object? = value(key) else {
                refuse("\(key) must be an object", as: .malformedConfiguration)
                continue
            }
        }
        // The base may also stand in the object that does not count for the scaling.
        let outside = value("rope_theta") ?? value("rope_parameters")?["rope_theta"]
        let base = (settings?["rope_theta"] ?? outside).map(\.double) ?? otherwise
        if base == nil { miss("rope_theta") }
        guard let key, let settings else { return (base ?? 0, .none) }
        return (base ?? 0, scaling(settings, key: key, maxPositions: maxPositions))
    }

    private mutating func scaling(_ settings: JSONValue, key: String, maxPositions: Int) -> RotaryScaling {
        if case .object(let members) = settings,
            let nested = members.first(where: { if case .object = $0.value { true } else { false } })
        {
            refuse("\(key) differs by kind of layer (\(nested.name)), and only one setting for all layers is computed")
            return .none
        }
        if let factor = settings["partial_rotary_factor"], factor != .null, factor.double != 1 {
            refuse("partial_rotary_factor of \(key) is not 1, and only whole heads are rotated")
        }
        func number(_ name: String) -> Double {
            guard let value = settings[name]?.double else {
                miss("\(key).\(name)")
                return 1
            }
            return value
        }
        let type = settings["rope_type"] ?? settings["type"] ?? .string("default")
        switch type.string {
        case "default": return .none
        case "linear": return .linear(factor: number("factor"))
        case "llama3":
            // Phi's place for the original length, which transformers prefers, and its default.
            let outside = value("original_max_position_embeddings")
            let original = outside ?? settings["original_max_position_embeddings"]
            if let original, original.integer == nil { miss("original_max_position_embeddings") }
            return .llama3(
                factor: number("factor"), lowFrequencyFactor: number("low_freq_factor"),
                highFrequencyFactor: number("high_freq_factor"),
                originalMaxPositions: original?.integer ?? maxPositions)
        default:
            let found = type.string.map { "\"\($0)\"" } ?? "a rope_type that is no text"
            refuse("\(key) asks for \(found), and default, linear and llama3 are computed")
            return .none
        }
    }
}
