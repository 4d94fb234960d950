public import Identity

/// A movement of credit that a fact brings about; the driver enters it into the ledger.
///
/// Amounts are verified FLOPs. `reference` is unique, so entering a settlement twice changes nothing.
public enum Settlement: Sendable, Hashable {
    /// A group was accepted: the worker earned its FLOPs, of which a part is withheld as stake.
    case earned(worker: PublicKey, group: Hash256, amount: Int64, withheld: Int64)
    /// An audit was of use: the verifier earned its FLOPs.
    case audited(verifier: PublicKey, audit: UInt64, amount: Int64)
    /// A group was rejected: what its audit cost is charged to the worker, as far as its balance goes.
    case charged(worker: PublicKey, group: Hash256, amount: Int64)
    /// An invitation was used: stake is granted.
    case staked(worker: PublicKey, invitation: Hash256, amount: Int64)
    /// The worker's whole stake burns.
    case slashed(worker: PublicKey)

    /// A unique name of the movement.
    public var reference: String {
        switch self {
        case .earned(_, let group, _, _): "earned/\(group.hex)"
        case .audited(_, let audit, _): "audited/\(audit)"
        case .charged(_, let group, _): "charged/\(group.hex)"
        case .staked(_, let invitation, _): "staked/\(invitation.hex)"
        case .slashed(let worker): "slashed/\(worker.hex)"
        }
    }
}
