/// Why sampling parameters or logits cannot be used.
public enum SamplingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A parameter lies outside its range.
    case invalidParameter(name: String, value: String, rule: String)
    /// A filter is set in a run that trains on what it samples.
    case filtersNotAllowed
    /// A logit is NaN or infinite, so there is no distribution.
    case nonFiniteLogits(position: UInt32)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .invalidParameter(let name, let value, let rule):
            "Sampling parameter \(name) is \(value); it must be \(rule)."
        case .filtersNotAllowed:
            "top_k, top_p and min_p change the distribution that is trained, so this run refuses them; "
                + "set allow_filters in [sampling] to use them anyway."
        case .nonFiniteLogits(let position):
            "The logits at position \(position) hold a NaN or infinity: these weights cannot be used."
        }
    }
}
