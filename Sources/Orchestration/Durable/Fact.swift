public import Identity

/// One durable change of a run.
///
/// The journal is the list of facts; the same facts in the same order rebuild the same state, whatever the
/// configuration, the clock or the process. A fact says what happened, with every number that was decided by
/// configuration written into it. Cases and labels are a file format: add, never rename.
public enum Fact: Sendable, Hashable, Codable {
    /// An invitation was used up by a worker.
    case invitationUsed(invitation: Hash256, worker: PublicKey, stake: Int64)

    /// A version was published.
    case versionPublished(version: PolicyVersion)

    /// A slot was leased; the next unused lease id is `lease`, and `engine` what its worker generates with, nil for the
    /// canonical arithmetic.
    case leaseGranted(
        lease: UInt64, slot: UInt64, attempt: UInt32, worker: PublicKey, version: UInt64, engine: String?)
    /// A live lease ended without a group.
    case leaseEnded(lease: UInt64, reason: LeaseEnd)

    /// A group was journaled: it owns its slot.
    ///
    /// `work` is what it takes to generate it in FLOPs, `content` the hash of its tokens; older journals lack both.
    /// `isAlwaysAudited` is true where its numbers are compared by tolerances, else nil.
    case groupReceived(
        group: Hash256, lease: UInt64, tokens: UInt64, work: Int64?, content: Hash256?, isAlwaysAudited: Bool?)
    /// A group passed its audit.
    case groupAccepted(
        group: Hash256, audit: UInt64, rewards: [Float], verifiedFLOPs: Int64, withheld: Int64, auditFLOPs: Int64)
    /// A group failed: a cheap check (`audit` 0, the group was never journaled) or an audit.
    case groupRejected(group: Hash256, lease: UInt64, audit: UInt64, finding: Finding, auditFLOPs: Int64)
    /// A group was set aside unaudited; nobody is blamed.
    case groupWithdrawn(group: Hash256, reason: String)
    /// An accepted group was too old for batch `step`.
    case groupDiscarded(group: Hash256, step: UInt64)

    /// A group's audit was given to a verifier; the next unused audit id is `audit`.
    case auditAssigned(audit: UInt64, group: Hash256, verifier: PublicKey)
    /// An audit did not come to a verdict.
    case auditLost(audit: UInt64, reason: String)
    /// A verifier found a group wrong, and another verifier is to look at it too.
    case auditDisputed(audit: UInt64, finding: Finding, auditFLOPs: Int64)

    /// An epoch of draws began; these are SHA-256 of its secret and of the next one's.
    case epochBegan(epoch: UInt64, commitment: Hash256, next: Hash256)
    /// An epoch is over; this was its secret.
    case epochRevealed(epoch: UInt64, secret: Hash256)
    /// It was drawn whether a group of a trusted worker is audited; `probability` in millionths.
    case auditDrawn(group: Hash256, epoch: UInt64, probability: UInt32, isDrawn: Bool)
    /// A group that is not audited was scored: it is provisional, its credit promised.
    case groupScored(group: Hash256, rewards: [Float], credit: Int64)
    /// A group that waited unaudited is audited after all; `isForeseen` is true where its worker may have brought that
    /// about, else nil.
    case groupPicked(group: Hash256, isForeseen: Bool?)
    /// A passed audit of the same key makes a promised credit count.
    case groupVested(group: Hash256, worker: PublicKey, audit: UInt64, withheld: Int64)
    /// A rejected group cost its worker what was promised to it, and so much of its earnings; in older journals,
    /// `fromEarnings` is nil, and `fined` was taken from the stake first.
    case creditForfeited(worker: PublicKey, group: Hash256, forfeited: Int64, fined: Int64, fromEarnings: Int64?)

    /// A group with a verdict is to be replayed once more.
    case checkOpened(group: Hash256, purpose: Check.Purpose)
    /// That replay was given to a verifier; the next unused audit id is `audit`.
    case checkAssigned(audit: UInt64, group: Hash256, verifier: PublicKey)
    /// The replay agrees with the group.
    case checkPassed(audit: UInt64, auditFLOPs: Int64)
    /// The replay differs from the group.
    case checkFailed(audit: UInt64, finding: Finding, auditFLOPs: Int64)
    /// A group was accepted against another verifier's finding, and a third one is to decide between them.
    case acceptanceDoubted(group: Hash256, accuser: PublicKey, audit: UInt64, finding: Finding, auditFLOPs: Int64)
    /// A verifier's finding and another one's acceptance stand against each other, nobody else can be asked, and the trainer
    /// is to decide, which computes the group itself.
    case acceptanceContested(group: Hash256, accuser: PublicKey, audit: UInt64, finding: Finding, auditFLOPs: Int64)
    /// The trainer computed what the group says, and so refuted the finding, or could not tell.
    case contestSettled(group: Hash256, isRefuted: Bool)
    /// Nobody will do that replay.
    case checkClosed(group: Hash256)
    /// An accepted group is found wrong by two verifiers after all.
    case acceptanceRevoked(group: Hash256, finding: Finding)
    /// A rejected or abandoned group is found right after all.
    case rejectionOverturned(group: Hash256, audit: UInt64, withheld: Int64)

    /// A verifier found a group good by numbers that are not those of two others.
    case replayRefuted(group: Hash256, verifier: PublicKey)

    /// A worker lost its stake and its place.
    case workerBanned(worker: PublicKey, finding: Finding, burned: Int64)
    /// Keys of workers that never came to anything make room for others.
    case workersForgotten(workers: [PublicKey])
    /// A verifier lost its place.
    case verifierBanned(verifier: PublicKey, finding: Finding)

    /// A batch was put together: these groups, in this order, for ever.
    case batchCut(step: UInt64, groups: [Hash256])
    /// The trainer made the step of a batch.
    case batchDone(step: UInt64)
    /// A STABLE checkpoint covers everything up to this step; `kept` are groups that are remembered beyond it, nil for
    /// none.
    case checkpointStable(step: UInt64, kept: [Hash256]?)
    /// The trainer went on from the STABLE checkpoint of this step.
    case trainerResumed(step: UInt64, kept: [Hash256]?)
    /// Groups that were remembered beyond their STABLE checkpoint are not needed any more.
    case groupsForgotten(groups: [Hash256])
}

/// Why a lease ended without a group.
public enum LeaseEnd: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its time ran out.
    case expired
    /// The worker gave it back or said goodbye.
    case returned
    /// The worker was gone for too long.
    case absent
    /// Its version is too old for every batch to come.
    case stale
    /// Another lease's group owns the slot.
    case slotOwned
    /// Its group failed a check.
    case rejected
    /// Its group was set aside, nobody to blame.
    case withdrawn
    /// The worker was banned.
    case banned
}
