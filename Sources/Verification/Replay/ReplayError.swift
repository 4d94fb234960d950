import Transformer

/// Why a group cannot be replayed: the verifier's or the network's fault, and nobody else's.
public enum ReplayError: Error, Sendable, CustomStringConvertible {
    /// The request makes no sense for this model.
    case invalidRequest(String)
    /// The group needs more pages than the cache has.
    case cacheTooSmall(pages: Int, available: Int)
    /// The forward pass failed.
    case model(ModelError)
    /// Hidden rows or logits hold a NaN or infinity.
    case notFinite(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .invalidRequest(let reason): "The audit cannot be replayed: \(reason)."
        case .cacheTooSmall(let pages, let available):
            "The audit needs \(pages) pages of key-value cache and only \(available) are allowed; "
                + "raise the memory limit."
        case .model(let error): "\(error)"
        case .notFinite(let reason): reason
        }
    }
}
