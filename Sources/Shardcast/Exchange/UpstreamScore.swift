#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is known of one upstream: how often it delivers, how fast, and how soon it begins to answer.
///
/// All three are estimates that fade: a server that failed is worth a try again after a while. A failure counts as a failure,
/// and the time that it took as time in which little came.
struct UpstreamScore: Sendable {
    /// The weight of the newest observation.
    private static let weightOfNews = 0.3
    /// After this long half of a bad reputation is forgotten.
    private static let forgiveness: Duration = .seconds(60)
    /// Fewer bytes say nothing about a rate: they tell how long a request takes.
    private static let leastBytes: UInt64 = 64 << 10
    /// But so long a time with so few bytes does.
    private static let longSpan: Duration = .milliseconds(250)
    /// Never 0, so that the only server left is asked.
    private static let leastSuccess = 0.01

    private var successAtLastNews = 1.0
    private var lastNews: ContinuousClock.Instant
    /// Bytes per second of all transfers together while there is at least one; nil before the first.
    private(set) var bandwidth: Double?
    /// From a request to the head of the answer, at best; nil before the first.
    private(set) var latency: Duration?
    private(set) var running = 0
    private var spanBegin: ContinuousClock.Instant
    private var spanBytes: UInt64 = 0

    init(now: ContinuousClock.Instant = .now) {
        lastNews = now
        spanBegin = now
    }

    /// How likely the next transfer is to succeed, from 0.01 to 1.
    func success(at now: ContinuousClock.Instant) -> Double {
        let age = max((now - lastNews) / Self.forgiveness, 0)
        return max(1 - (1 - successAtLastNews) * exp2(-age), Self.leastSuccess)
    }

    /// What choices are weighed by: success × bandwidth, spread over what runs there already.
    ///
    /// - Parameter hope: The bandwidth of a server that was never tried.
    func weight(at now: ContinuousClock.Instant, hope: Double) -> Double {
        success(at: now) * max(bandwidth ?? hope, 1) / Double(1 + running)
    }

    mutating func began(at now: ContinuousClock.Instant) {
        if running == 0 {
            spanBegin = now
            spanBytes = 0
        }
        running += 1
    }

    mutating func moved(_ bytes: Int) { spanBytes += UInt64(bytes) }

    mutating func answered(after wait: Duration) {
        // The best case is what a request costs; it may drift upwards where the way became longer.
        latency = latency.map { min(wait, $0 * 1.05) } ?? wait
    }

    /// - Parameter isSuccess: Nil where the transfer ended for reasons of ours, or nothing was there.
    mutating func ended(isSuccess: Bool?, at now: ContinuousClock.Instant) {
        running -= 1
        let span = now - spanBegin
        if spanBytes >= Self.leastBytes || (span >= Self.longSpan && (isSuccess != nil || spanBytes > 0)) {
            let rate = Double(spanBytes) / max(span / .seconds(1), 1e-6)
            bandwidth = bandwidth.map { $0 + Self.weightOfNews * (rate - $0) } ?? rate
            spanBegin = now
            spanBytes = 0
        }
        guard let isSuccess else { return }
        judge(isSuccess, at: now)
    }

    /// Counts a transfer that another server overtook as one that failed.
    mutating func overtaken(at now: ContinuousClock.Instant) { judge(false, at: now) }

    private mutating func judge(_ isSuccess: Bool, at now: ContinuousClock.Instant) {
        let before = success(at: now)
        successAtLastNews = before + Self.weightOfNews * ((isSuccess ? 1 : 0) - before)
        lastNews = now
    }
}
