/// When a shard is asked for a second time elsewhere, and how much that may cost.
///
/// A shard that takes clearly longer than nearly all before it is probably stuck; one more copy of it from another server costs
/// at most its bytes. What hedging wastes stays below a tenth of what was fetched, plus one shard.
struct HedgeRule: Sendable {
    /// How many of the latest shards are remembered.
    private static let memory = 64
    /// Fewer say nothing.
    private static let leastSamples = 4
    private static let quantile = 0.9
    private static let slack = 2.0
    /// Small shards count as so many bytes: their time is that of a request.
    private static let leastBytes: UInt64 = 64 << 10
    /// Waits shorter than this are noise of schedulers and links.
    private static let shortest: Duration = .milliseconds(250)

    /// Used before enough is known.
    let patience: Duration
    private var secondsPerByte: [Double] = []
    private var oldest = 0
    private var fetched: UInt64 = 0
    private var wasted: UInt64 = 0

    init(patience: Duration) { self.patience = patience }

    /// How long a shard may take before it is asked for elsewhere.
    func delay(bytes: UInt64) -> Duration {
        guard secondsPerByte.count >= Self.leastSamples else { return patience }
        let sorted = secondsPerByte.sorted()
        let typical = sorted[Int(Double(sorted.count - 1) * Self.quantile)] * Double(max(bytes, Self.leastBytes))
        return max(.seconds(typical * Self.slack), Self.shortest)
    }

    /// Sets bytes aside for a second copy; false where that would waste too much.
    mutating func reserve(_ bytes: UInt64) -> Bool {
        guard wasted <= fetched / 10 else { return false }
        wasted += bytes
        return true
    }

    /// Gives back what was set aside and counts what the loser had received.
    mutating func settle(_ reserved: UInt64, wasting bytes: UInt64) { wasted = wasted - min(reserved, wasted) + bytes }

    mutating func delivered(_ bytes: UInt64, in time: Duration) {
        fetched += bytes
        let pace = (time / .seconds(1)) / Double(max(bytes, Self.leastBytes))
        if secondsPerByte.count < Self.memory {
            secondsPerByte.append(pace)
        } else {
            secondsPerByte[oldest] = pace
            oldest = (oldest + 1) % Self.memory
        }
    }
}
