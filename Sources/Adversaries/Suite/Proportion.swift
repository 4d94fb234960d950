import Foundation

/// A count out of a total, with the 95 % confidence interval of the rate behind it.
public struct Proportion: Sendable, Hashable, Codable {
    /// How often it happened.
    public var count: Int
    /// How often it could have happened.
    public var total: Int

    /// Counts nothing yet, unless given.
    public init(_ count: Int = 0, of total: Int = 0) {
        self.count = count
        self.total = total
    }

    /// Counts one more case.
    mutating func note(_ happened: Bool, times: Int = 1) {
        total += times
        if happened { count += times }
    }

    /// The observed rate; 0 out of nothing.
    public var rate: Double { total == 0 ? 0 : Double(count) / Double(total) }

    /// The exact interval of Clopper and Pearson.
    ///
    /// Where nothing or everything happened, the one bound that is not trivial is one-sided: 1 − 0.05^(1/n), about 3/n.
    public var interval: ClosedRange<Double> {
        guard total > 0 else { return 0...1 }
        if count == 0 { return 0...(1 - pow(0.05, 1 / Double(total))) }
        if count == total { return pow(0.05, 1 / Double(total))...1 }
        // P(X ≥ count) = 0.025 at the lower bound, P(X ≤ count) = 0.025 at the upper one.
        let lower = root { 1 - atMost(count - 1, $0) - 0.025 }
        let upper = root { 0.025 - atMost(count, $0) }
        return lower...max(lower, upper)
    }

    /// Where an increasing function of a probability is 0.
    private func root(_ function: (Double) -> Double) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if function(middle) < 0 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The probability of at most so many out of the total.
    private func atMost(_ count: Int, _ probability: Double) -> Double {
        guard probability > 0 else { return 1 }
        guard probability < 1 else { return count >= total ? 1 : 0 }
        let (yes, no) = (log(probability), log1p(-probability))
        var sum = 0.0
        var choose = 0.0
        for number in 0...max(0, count) {
            sum += exp(choose + Double(number) * yes + Double(total - number) * no)
            choose += log(Double(total - number)) - log(Double(number + 1))
        }
        return min(1, sum)
    }
}
