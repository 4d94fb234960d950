extension Run {
    /// How many of a worker's groups are audited, and how verifiers are watched.
    public struct Auditing: Sendable, Hashable {
        /// Which groups a verifier replays.
        public enum Mode: String, Sendable, Hashable, CaseIterable {
            /// Every group.
            case all
            /// Every group of a key that is not trusted, and a drawn part of the others'.
            case adaptive
        }

        /// Which groups a verifier replays.
        public var mode = Mode.all
        /// No trusted key's groups are audited with a smaller probability, in millionths.
        public var floor: UInt32 = 50_000
        /// Verified groups in a row, counted in FLOPs, after which a key is trusted.
        public var trustedAfter: Int64 = 10
        /// Known good groups that a verifier gets among its audits, per audit, in millionths.
        public var plantRate: UInt32 = 0
        /// Accepted groups that another verifier replays again, in millionths.
        public var repeatRate: UInt32 = 0
        /// Groups after which the secret of the draws changes.
        public var epochGroups: UInt64 = 256
        /// Completion tokens that one lease can come to; what an untrusted key may have open is counted in these.
        public var leaseTokens: UInt64 = 1
        /// Leases' worth of unaudited tokens that an untrusted key may have.
        public var untrustedLeases: UInt64 = 2
        /// Per cent of a batch that may be provisional.
        public var provisionalPerCent = 25
        /// Per cent of a batch that may be provisional groups of one key; at least one group.
        public var provisionalPerCentOfKey = 5
        /// Unvested groups of one key after which the next one is audited in any case.
        public var unvestedGroups = 256
        /// A passed audit that was drawn with probability p vouches for so many times (1 − p)/p of its own work.
        ///
        /// (1 − p)/p is what one such audit stands for on average; twice that leaves room for the luck of the draw, and
        /// still bounds what escapes if it is tried.
        public var vouchFactor: Int64 = 2
        /// Steps for which the promised credit of a key waits for its next audit before one of its groups in old batches is
        /// audited.
        public var unvestedSteps: UInt64 = 16

        /// The defaults; every group is audited.
        public init() {}

        /// Provisional groups that a batch of so many may hold, in all and of one key.
        ///
        /// Rounded down, but where a batch may hold one at all, a key may have one in it.
        func provisionalShare(ofBatch groups: Int) -> (total: Int, perKey: Int) {
            let total = groups * provisionalPerCent / 100
            return (total, min(total, max(1, groups * provisionalPerCentOfKey / 100)))
        }
    }
}
