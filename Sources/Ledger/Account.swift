public import Identity

/// Where units lie.
///
/// Every entry moves units between accounts. Over all accounts they always sum to zero, because what was ever issued
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
    /// What is promised to a worker for groups that were not audited, until a later audit vouches for them.
    case unvested(PublicKey)

    /// Reads what `text` writes; nil for anything else.
    public init?(text: String) {
        switch text {
        case "issuance": self = .issuance
        case "burned": self = .burned
        default:
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let key = PublicKey(hex: String(parts[1])) else { return nil }
            switch parts[0] {
            case "worker": self = .worker(key)
            case "verifier": self = .verifier(key)
            case "stake": self = .stake(key)
            case "unvested": self = .unvested(key)
            default: return nil
            }
            // Capital digits would be a second name of the same account.
            guard self.text == text else { return nil }
        }
    }

    /// The account's name in the database and in hashes: `worker:<key>` and so on.
    public var text: String {
        switch self {
        case .issuance: "issuance"
        case .burned: "burned"
        case .worker(let key): "worker:\(key.hex)"
        case .verifier(let key): "verifier:\(key.hex)"
        case .stake(let key): "stake:\(key.hex)"
        case .unvested(let key): "unvested:\(key.hex)"
        }
    }
}

extension Account: CustomStringConvertible {
    /// The account's name.
    public var description: String { text }
}
