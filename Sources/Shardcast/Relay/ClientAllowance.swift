import Synchronization

/// What each client address may ask for: requests, and bytes if the operator wants that, as buckets that refill.
///
/// The table is bounded: a flood of addresses pushes out those that have used least of theirs.
final class ClientAllowance: Sendable {
    struct Rates: Sendable {
        var requestsPerSecond: Double
        var burst: Double
        /// 0 is as fast as the line.
        var bytesPerSecond: Double
    }

    private struct Bucket {
        var requests: Double
        /// Until when the bytes that were sent already have been paid for.
        var bytesUntil: ContinuousClock.Instant
        var updated: ContinuousClock.Instant
    }

    /// A wrong token costs as much as so many requests.
    static let guessCost = 20.0
    private static let addresses = 1 << 14

    private let rates: Rates
    private let buckets = Mutex<[String: Bucket]>([:])

    init(_ rates: Rates) { self.rates = rates }

    /// False if the address has to wait.
    func admits(_ address: String, cost: Double = 1, now: ContinuousClock.Instant = .now) -> Bool {
        buckets.withLock { buckets in
            var bucket = current(address, &buckets, now)
            defer { buckets[address] = bucket }
            guard bucket.requests >= 1 else { return false }
            // What costs more than is left leaves a debt.
            bucket.requests -= cost
            return true
        }
    }

    /// How long to wait before so many more bytes go out to an address.
    func delay(_ address: String, bytes: Int, now: ContinuousClock.Instant = .now) -> Duration {
        guard rates.bytesPerSecond > 0 else { return .zero }
        return buckets.withLock { buckets in
            var bucket = current(address, &buckets, now)
            let start = max(bucket.bytesUntil, now)
            bucket.bytesUntil = start + .seconds(Double(bytes) / rates.bytesPerSecond)
            buckets[address] = bucket
            return start - now
        }
    }

    var count: Int { buckets.withLock { $0.count } }

    private func current(
        _ address: String, _ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant
    ) -> Bucket {
        guard var bucket = buckets[address] else {
            if buckets.count >= Self.addresses { makeRoom(&buckets, now) }
            return Bucket(requests: rates.burst, bytesUntil: now, updated: now)
        }
        refill(&bucket, now)
        return bucket
    }

    private func refill(_ bucket: inout Bucket, _ now: ContinuousClock.Instant) {
        let seconds = max((now - bucket.updated) / .seconds(1), 0)
        bucket.requests = min(bucket.requests + seconds * rates.requestsPerSecond, rates.burst)
        bucket.updated = now
    }

    private func makeRoom(_ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.mapValues { bucket in
            var bucket = bucket
            refill(&bucket, now)
            return bucket
        }
        let fullest = buckets.sorted { $0.value.requests > $1.value.requests }.prefix(Self.addresses / 4)
        for (address, _) in fullest { buckets[address] = nil }
    }
}
