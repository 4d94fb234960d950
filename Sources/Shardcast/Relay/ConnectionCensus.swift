import Synchronization

/// How many connections each address has open.
final class ConnectionCensus: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let maximum: Int

    init(maximum: Int) { self.maximum = maximum }

    /// False if the address has its share already.
    func enter(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < maximum else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    func leave(_ address: String) {
        counts.withLock { counts in
            let left = counts[address, default: 0] - 1
            counts[address] = left > 0 ? left : nil
        }
    }
}
