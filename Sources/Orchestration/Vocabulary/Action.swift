public import Identity

/// Something that the driver must do.
///
/// Actions come in order. Everything journaled or settled in one call of `step` goes into one synced transaction;
/// only then may the others be carried out. A message that depends on a fact always stands after it.
public enum Action: Sendable, Hashable {
    /// Append the fact to the journal.
    case journal(Fact)
    /// Enter this into the ledger, in the transaction of the fact before it.
    case settle(Settlement)

    /// Answer a hello.
    case welcome(to: Correspondent, Welcome)
    /// Refuse a message, with the reason.
    case refuse(to: Correspondent, Refusal)
    /// Say that a message was taken in.
    case acknowledge(to: Correspondent)
    /// Close a connection after what was sent to it.
    case close(ConnectionID)

    /// Send leases; the driver adds prompt, environment and sampling parameters. A worker knows a lease by its id.
    case sendLeases(to: Correspondent, [Lease])
    /// Tell a worker that a lease is off; counts neither for nor against.
    case cancelLease(to: ConnectionID, lease: UInt64, reason: LeaseEnd)
    /// Send a signed receipt.
    case sendReceipt(to: Correspondent, Receipt)
    /// Hand out audits, blind. A verifier knows an audit by its id.
    case sendAudits(to: Correspondent, [Audit])
    /// Compute the rewards of a group that is not audited.
    case scoreGroup(Hash256)
    /// Send a batch to the trainer: these groups, in this order.
    case sendBatch(to: Correspondent, step: UInt64, groups: [Hash256])

    /// Tell these members which version is the newest.
    case announceVersion(to: [ConnectionID], version: PolicyVersion, oldestUseful: UInt64)
    /// Tell these members by which secrets audits are drawn.
    case announceEpoch(to: [ConnectionID], DrawEpoch)
    /// Tell a worker what happened to its groups.
    case sendStanding(to: ConnectionID, Standing)
    /// Tell a member that no more work is coming.
    case sendDrain(to: ConnectionID, reason: String, runFinished: Bool)

    /// The payloads of these groups are not needed any more.
    case forgetGroups([Hash256])
    /// Log and show this.
    case report(RunNotice)
    /// Everything is done: stop the process.
    case stop(reason: String)
}

/// The answer to a hello.
public struct Welcome: Sendable, Hashable {
    /// The role that was granted.
    public let role: Role
    /// The newest version, if one was published.
    public let current: PolicyVersion?
    /// A worker's verified FLOPs since its last rejection.
    public let streak: Int64
    /// By which secrets audits are drawn, if they are.
    public let epoch: DrawEpoch?
}

/// Commitments to the secrets by which audits are drawn.
public struct DrawEpoch: Sendable, Hashable {
    /// The present epoch's number, from 0.
    public let number: UInt64
    /// SHA-256 of the present epoch's secret.
    public let commitment: Hash256
    /// SHA-256 of the next epoch's secret.
    public let next: Hash256
    /// The secret of the epoch before, which is over.
    public let revealed: Hash256?
}

/// Why a message was not taken.
public struct Refusal: Sendable, Hashable {
    /// Stable and in kebab-case.
    public let code: String
    /// One sentence for people.
    public let reason: String
    /// What would help.
    public let advice: String
    /// Whether to try again with this key is useless.
    public let final: Bool

    init(_ code: String, _ reason: String, advice: String = "", final: Bool = false) {
        self.code = code
        self.reason = bounded(reason, Finding.maximumReasonBytes)
        self.advice = advice
        self.final = final
    }
}

/// One slot for one worker under one version, for a while.
public struct Lease: Sendable, Hashable {
    /// The lease's id, never reused.
    public let id: UInt64
    /// The slot, from which the driver finds the prompt.
    public let slot: UInt64
    /// The group's identity, from which the noise follows.
    public let groupID: Hash256
    /// How often this slot was leased before.
    public let attempt: UInt32
    /// The version to generate under.
    public let version: PolicyVersion
    /// Milliseconds from now until the lease ends, unless renewed.
    public let milliseconds: UInt64
}

/// What a worker gets for a group that is journaled and synced.
public struct Receipt: Sendable, Hashable {
    /// The lease that the group answers.
    public let lease: UInt64
    /// SHA-256 of the payload bytes.
    public let group: Hash256
    /// Whose it is.
    public let worker: PublicKey
    /// Whether it was journaled before.
    public let duplicate: Bool
}

/// One group for one verifier.
public struct Audit: Sendable, Hashable {
    /// The audit's id, never reused.
    public let id: UInt64
    /// SHA-256 of the payload, by which the driver finds it.
    public let group: Hash256
    /// The slot.
    public let slot: UInt64
    /// The group's identity.
    public let groupID: Hash256
    /// Whose group it is.
    public let worker: PublicKey
    /// The version to replay under.
    public let version: PolicyVersion
}

/// How a worker stands; the driver adds the balance.
public struct Standing: Sendable, Hashable {
    /// The worker.
    public let worker: PublicKey
    /// Groups accepted so far.
    public let accepted: UInt64
    /// Groups rejected so far.
    public let rejected: UInt64
    /// Verified FLOPs since the last rejection.
    public let streak: Int64
    /// Groups that wait for a later audit to vouch for them.
    public let provisional: Int
    /// Their credit in FLOPs.
    public let unvested: Int64
    /// One of its groups is audited with this probability, in millionths.
    public let probability: UInt32
    /// Whether the key is banned.
    public let banned: Bool
    /// What was wrong with groups rejected since the last standing.
    public let reasons: [String]
}
