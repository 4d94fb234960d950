public import Identity

/// Who may join in a role.
public enum Admission: Sendable, Hashable {
    /// Anyone.
    case open
    /// Whoever shows an unused invitation; the set holds SHA-256 of each token, and each admits one key.
    case invitation(Set<Hash256>)
    /// The keys on this list.
    case list(Set<PublicKey>)
}
