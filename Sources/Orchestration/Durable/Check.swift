public import Identity

/// One more replay of a group whose verdict stands already.
public struct Check: Sendable, Hashable, Codable {
    /// What for.
    public enum Purpose: String, Sendable, Hashable, Codable, CaseIterable {
        /// The group is known to be good: the verifier is measured.
        case planted
        /// Another verifier repeats the replay of an accepted group: the first verifier is measured.
        case repeated
        /// A third verifier decides between two that contradict each other.
        case arbitrating
        /// The worker hands in nothing more whose audit could vouch for its groups: one that is in a batch is replayed.
        case vesting
        /// The trainer computed something else than what is reported of a group in a batch.
        case doubted
        /// The trainer could not compute an unaudited group in a batch.
        case unavailable
        /// Somebody else came to the same result as a group that was rejected or abandoned.
        case reopened
    }

    /// What for.
    public let purpose: Purpose
    /// Groups journaled when it was opened; a passed audit vouches for those.
    public let openedAt: UInt64
    /// The audit that a verifier holds for it, if one does.
    public internal(set) var audit: UInt64?
    /// How often it was assigned.
    public internal(set) var attempts = 0
}

/// A verdict that took a group out of the run, kept while its slot lives, because it may be looked at again.
public struct EarlierVerdict: Sendable, Hashable, Codable {
    /// What was found; nil where no audit came to a verdict.
    public let finding: Finding?
    /// The verifiers whose finding it was.
    public internal(set) var accusers: [PublicKey]
    /// What was promised to its worker for other groups, and burned with it.
    public internal(set) var forfeited: [UnvestedCredit] = []
    /// Earnings that it cost its worker.
    public internal(set) var earningsTaken: Int64 = 0
    /// Stake that it cost its worker; none but in older journals.
    public internal(set) var stakeTaken: Int64 = 0

    /// What becomes promised again when the verdict is overturned.
    var restorable: Int64 { forfeited.reduce(0) { saturatingSum($0, $1.amount) } }
}

/// Credit that counts when a later audit of the same key passes.
public struct UnvestedCredit: Sendable, Hashable, Codable {
    /// The group.
    public let group: Hash256
    /// The group's place in the order of journaling.
    public let ordinal: UInt64
    /// The credit in FLOPs.
    public let amount: Int64
    /// Whether the trainer doubts the group: then nothing but its own replay makes the credit count.
    public internal(set) var isDoubted = false
}

/// An epoch of draws: what is known of its secret.
public struct EpochRecord: Sendable, Hashable, Codable {
    /// The number, from 0.
    public let number: UInt64
    /// SHA-256 of its secret.
    public let commitment: Hash256
    /// SHA-256 of the next one's secret.
    public let next: Hash256
    /// Groups that had been journaled when it began.
    public let began: UInt64
    /// The secret of the epoch before.
    public let revealed: Hash256?
}
