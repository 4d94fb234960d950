/// When a version is published whole, for those who join late or lost their way, and when as a difference only.
public struct AnchorPolicy: Sendable, Equatable {
    /// A version is whole at the latest when so many have come since the last one that was; 1 makes every version whole.
    public var interval: Int

    /// A policy; the interval is at least 1 and at most ``ManifestLimits/chain``.
    public init(interval: Int = 10) {
        self.interval = min(max(interval, 1), ManifestLimits.chain)
    }

    /// Whether the next version is to be whole.
    ///
    /// - Parameter chain: The lengths of the differences since the last whole version.
    /// - Parameter delta: The length of the next difference.
    /// - Parameter full: The length of the weights.
    func isAnchorDue(chain: [UInt64], delta: UInt64, full: UInt64) -> Bool {
        // Who joins would fetch more in differences than a whole version has, and who follows saves little by a large one.
        chain.count + 1 >= interval || chain.reduce(delta, +) >= full || !isWorthwhile(delta: delta, full: full)
    }

    /// Whether a difference is worth being offered beside a whole version.
    func isWorthwhile(delta: UInt64, full: UInt64) -> Bool { delta < full / 2 }
}
