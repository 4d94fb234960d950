public import Identity

/// Something worth telling a person or counting, in no way needed by the machine.
public enum RunNotice: Sendable, Hashable {
    /// A member joined or came back.
    case memberJoined(key: PublicKey, role: Role, name: String)
    /// A member is gone.
    case memberLeft(key: PublicKey, role: Role, reason: String)
    /// A version was published.
    case versionPublished(PolicyVersion)
    /// Leases ended without a group.
    case leaseEnded(lease: UInt64, worker: PublicKey, reason: LeaseEnd)
    /// A group was journaled.
    case groupReceived(group: Hash256, worker: PublicKey, version: UInt64)
    /// A group was not taken, nobody to blame.
    case groupRefused(lease: UInt64, worker: PublicKey, code: String)
    /// A group passed its audit.
    case groupAccepted(group: Hash256, worker: PublicKey, version: UInt64, meanReward: Float)
    /// A group failed a check.
    case groupRejected(group: Hash256, worker: PublicKey, finding: Finding, strikes: Int)
    /// An honest group came too late for any batch; its worker keeps the credit.
    case groupDiscarded(group: Hash256, worker: PublicKey, version: UInt64)
    /// A group was set aside, nobody to blame.
    case groupWithdrawn(group: Hash256, worker: PublicKey, reason: String)
    /// An audit did not come to a verdict.
    case auditLost(audit: UInt64, verifier: PublicKey, reason: String)
    /// Two verifiers disagree, or the second opinion is still awaited.
    case auditDisputed(group: Hash256, accuser: PublicKey, finding: Finding)
    /// A worker lost its stake and its place.
    case workerBanned(worker: PublicKey, finding: Finding, auditedGroups: UInt64, burned: Int64)
    /// A verifier lost its place.
    case verifierBanned(verifier: PublicKey, finding: Finding)
    /// A batch was put together, some of its groups provisional.
    case batchCut(step: UInt64, groups: Int, provisional: Int, meanStaleness: Double, maximumStaleness: UInt64)
    /// An epoch of draws began.
    case epochBegan(DrawEpoch)
    /// A group is not audited for now.
    case groupProvisional(group: Hash256, worker: PublicKey, probability: UInt32, meanReward: Float)
    /// A group that waited is audited after all.
    case groupPicked(group: Hash256, worker: PublicKey)
    /// A passed audit vouches for groups that were not audited.
    case groupsVested(worker: PublicKey, count: Int, credit: Int64)
    /// A rejected group cost its worker what was promised to it, and more.
    case creditForfeited(worker: PublicKey, forfeited: Int64, fined: Int64)
    /// A verifier's work was checked with a group whose verdict stands already.
    case checkDone(verifier: PublicKey, purpose: Check.Purpose, agreed: Bool)
    /// A verdict was looked at again, and does not stand.
    case verdictOverturned(group: Hash256, worker: PublicKey, wasAccepted: Bool)
    /// The trainer left a group out of its step, since it could not compute its log-probabilities.
    case groupUnavailable(group: Hash256, worker: PublicKey, reason: String)
    /// Two verifiers contradict each other about a verdict, or one finds wrong what nobody had replayed.
    case verdictDoubted(group: Hash256, accuser: PublicKey, finding: Finding)
    /// Verifiers found a group good by different numbers: one of them lied or failed.
    case replaysDiffer(group: Hash256, verifier: PublicKey, others: [PublicKey])
    /// A batch goes to the trainer once more.
    case batchRedispatched(step: UInt64)
    /// The trainer made a step.
    case batchDone(step: UInt64)
    /// Everything up to this step is safe.
    case checkpointStable(step: UInt64)
    /// The trainer went back to its last STABLE checkpoint.
    case trainerResumed(step: UInt64, from: UInt64)
    /// A message did not fit the state of the run.
    case refused(key: PublicKey?, code: String, reason: String)
    /// No new leases are given.
    case draining(reason: String)
    /// All steps are made.
    case runFinished(steps: UInt64)
}
