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
    /// A group was not audited: its credit is promised, and counts when a later audit of the same key passes.
    case promised(worker: PublicKey, group: Hash256, amount: Int64)
    /// A promised credit counts from now on; a part is withheld as stake.
    case vested(worker: PublicKey, group: Hash256, amount: Int64, withheld: Int64)
    /// An audit rejected this group: what was promised to its worker burns.
    case forfeited(worker: PublicKey, group: Hash256, amount: Int64)
    /// An audit rejected this group: its worker pays for those that were not audited, as far as its balance goes.
    case fined(worker: PublicKey, group: Hash256, amount: Int64)
    /// An acceptance was overturned: its credit is taken back, as far as the worker's balance goes.
    case revoked(worker: PublicKey, group: Hash256, amount: Int64)
    /// A rejection was overturned: what was charged and fined for it is given back, and so much of what was promised for
    /// other groups is promised again.
    case refunded(worker: PublicKey, group: Hash256, promised: Int64)

    /// A unique name of the movement.
    public var reference: String {
        switch self {
        case .earned(_, let group, _, _): "earned/\(group.hex)"
        case .audited(_, let audit, _): "audited/\(audit)"
        case .charged(_, let group, _): "charged/\(group.hex)"
        case .staked(_, let invitation, _): "staked/\(invitation.hex)"
        case .slashed(let worker): "slashed/\(worker.hex)"
        case .promised(_, let group, _): "promised/\(group.hex)"
        case .vested(_, let group, _, _): "vested/\(group.hex)"
        case .forfeited(_, let group, _): "forfeited/\(group.hex)"
        case .fined(_, let group, _): "fined/\(group.hex)"
        case .revoked(_, let group, _): "revoked/\(group.hex)"
        case .refunded(_, let group, _): "refunded/\(group.hex)"
        }
    }
}
