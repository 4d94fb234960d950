import Identity
import Sampling
import Transformer

/// Why a group cannot be generated.
public enum GenerationError: Error, Sendable, CustomStringConvertible {
    /// The prompt is empty, holds an unknown token, or leaves no room.
    case invalidPrompt(String)
    /// The sampling parameters are refused, or logits are not finite.
    case sampling(SamplingError)
    /// The group is being generated already.
    case duplicateGroup(Hash256)
    /// As many groups wait as the limits allow.
    case tooManyWaiting(Int)
    /// One sample alone needs more pages than the cache has.
    case cacheTooSmall(pages: Int, available: Int)
    /// The version is not loaded, or its model has another shape than the engine's cache.
    case unusableVersion(UInt64, String)
    /// The forward pass failed.
    case model(ModelError)

    /// Hidden rows hold a NaN or infinity, or cannot be proved.
    case notFinite(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .invalidPrompt(let reason): "The prompt cannot be used: \(reason)."
        case .sampling(let error): error.description
        case .duplicateGroup(let group): "Group \(group.hex) is being generated already."
        case .tooManyWaiting(let count): "\(count) groups wait already; take results before adding more."
        case .cacheTooSmall(let pages, let available):
            "A sample may need \(pages) pages of key-value cache and only \(available) are allowed; "
                + "raise the memory limit or lower max_tokens."
        case .unusableVersion(let version, let reason): "Version \(version) cannot be used: \(reason)."
        case .model(let error): "\(error)"
        case .notFinite(let reason): reason
        }
    }
}
