public import Identity

/// Where units lie.
///
/// Every entry moves units between accounts; over all accounts they always sum to zero, because what was ever issued
/// stands on `issuance` as a negative number.
public enum Account: Hashable, Sendable, Comparable {
    /// The source of all units; its balance is minus what was ever issued.
    case issuance
    /// What was taken away for good.
    case burned
    /// A worker's earnings.
    case worker(PublicKey)
    /// A verifier's earnings.
    case verifier(PublicKey)
    /// A worker's stake.
    case stake(PublicKey)
}
