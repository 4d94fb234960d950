public import Identity

extension Run {
    /// Everything that a run decides by, fixed for the life of the process.
    public struct Configuration: Sendable {
        /// The run's identity.
        public var runID: Hash256
        /// Known to the lab only; group identities follow from it.
        public var secret: [UInt8]
        /// Optimizer steps to make.
        public var steps: UInt64
        /// Groups in every batch, exactly.
        public var groupsPerBatch: Int
        /// Batches that generation may run ahead of the newest version's step.
        public var pace: UInt64
        /// Batch n takes version v only if n − 1 − step(v) is at most this.
        public var maximumStaleness: UInt64
        /// Soft rejections that cost the stake and the place in the run.
        public var strikes: Int
        /// Which workers may join.
        public var workers: Admission
        /// Which verifiers may join.
        public var verifiers: Admission
        /// The keys of the lab's trainers.
        public var trainers: Set<PublicKey>
        /// Thousandths of every credit that are withheld as stake.
        public var withheldPerMille: Int64
        /// Stake that an invitation grants, in FLOPs.
        public var invitedStake: Int64
        /// Whether a rejection counts only after a second verifier agreed, where one is connected.
        public var confirmsRejections: Bool
        /// Which groups are audited.
        public var auditing = Auditing()
        /// Counts and sizes.
        public var limits: Limits
        /// Durations.
        public var timing: Timing

        /// A run's configuration with the field's usual defaults.
        public init(
            runID: Hash256, secret: [UInt8], steps: UInt64, groupsPerBatch: Int, pace: UInt64 = 1,
            maximumStaleness: UInt64 = 2, strikes: Int = 3, workers: Admission = .open, verifiers: Admission = .open,
            trainers: Set<PublicKey>, withheldPerMille: Int64 = 100, invitedStake: Int64 = 0,
            confirmsRejections: Bool = true, limits: Limits = Limits(), timing: Timing = Timing()
        ) {
            self.runID = runID
            self.secret = secret
            self.steps = steps
            self.groupsPerBatch = max(1, groupsPerBatch)
            self.pace = pace
            self.maximumStaleness = maximumStaleness
            self.strikes = max(1, strikes)
            self.workers = workers
            self.verifiers = verifiers
            self.trainers = trainers
            self.withheldPerMille = min(1000, max(0, withheldPerMille))
            self.invitedStake = max(0, invitedStake)
            self.confirmsRejections = confirmsRejections
            self.limits = limits
            self.timing = timing
        }

        /// The group identity of a slot: SHA-256(secret ‖ u64le slot).
        ///
        /// Revealed only in a lease. It does not change with the attempt, so dropping a lease re-rolls nothing.
        public func groupID(slot: UInt64) -> Hash256 {
            var hash = SHA256()
            hash.update(secret)
            hash.update(littleEndian: slot)
            return hash.finalize()
        }
    }

    /// Bounds on counts; the driver bounds bytes.
    public struct Limits: Sendable {
        /// Connections that have said hello.
        public var connections = 1024
        /// Keys of workers that are remembered; a new key beyond it is refused.
        public var rememberedWorkers = 10_000
        /// Leases that one worker holds at once.
        public var leasesPerWorker = 256
        /// Leases and unaudited groups of a worker that has nothing accepted since its last rejection.
        public var probationGroups = 8
        /// Audits that one verifier holds at once.
        public var auditsPerVerifier = 256
        /// Assignments of one group's audit before its slot is leased again, nobody blamed.
        public var auditAttempts = 5
        /// Wrong accusations that cost a verifier its place.
        public var verifierFaults = 3
        /// Batches kept for want of a STABLE checkpoint; no further one is cut beyond it.
        public var retainedBatches: UInt64 = 1024

        /// The defaults.
        public init() {}
    }

    /// Durations in milliseconds.
    public struct Timing: Sendable {
        /// The shortest lease.
        public var lease: UInt64 = 30_000
        /// A lease lasts this many times the time that its worker is predicted to need.
        public var leaseFactor: UInt64 = 3
        /// Progress renews a lease up to this many times its first duration.
        public var leaseRenewals: UInt64 = 10
        /// The longest that a verifier may hold an audit.
        public var audit: UInt64 = 60_000
        /// Silence after which a member counts as gone.
        public var heartbeat: UInt64 = 15_000
        /// How long the work of a member that is gone waits for its return.
        public var reconnect: UInt64 = 10_000
        /// How long room is kept for a busy worker's share before those who wait may have it.
        public var fairShare: UInt64 = 100
        /// How long a key gets no lease after an audit rejected its group, 0 for not at all.
        ///
        /// Twice as long after each further rejection, up to 64 times.
        public var rejection: UInt64 = 0
        /// How long a key gets no lease after it gave leases back for the second time without a group in between, 0 for not at
        /// all.
        ///
        /// Twice as long after each further time, up to 64 times.
        public var returned: UInt64 = 0
        /// How long it is remembered that a key gave leases back.
        public var forgiven: UInt64 = 600_000
        /// How long the end of a run waits for the trainer's last checkpoint.
        public var finish: UInt64 = 30_000

        /// The defaults.
        public init() {}
    }
}
