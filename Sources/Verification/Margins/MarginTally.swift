/// How far claimed tokens lie from those that the noise dictates, summed over as many tokens as one likes.
///
/// Under the canonical arithmetic every margin is 0. A foreign engine's logits differ a little, so that now and then two
/// tokens change places that were almost level: few margins above 0, all of them small. Tokens that were chosen otherwise
/// lie far off. The idea of the statistic is Token-DiFR's (arXiv 2511.20621); a worker's audits are summed over time,
/// because what a single group cannot show, ten thousand tokens do.
public struct MarginTally: Sendable, Hashable, Codable {
    /// What a single margin counts with at most, so that one odd token decides nothing here.
    public static let clip = 4.0

    /// Tokens.
    public private(set) var tokens: UInt64 = 0
    /// Tokens that are not the replayed ones.
    public private(set) var differing: UInt64 = 0
    /// The sum of the cut margins.
    public private(set) var sum = 0.0
    /// The sum of their squares.
    public private(set) var squares = 0.0

    /// No token yet.
    public init() {}

    /// The tally of some tokens.
    public init(_ margins: some Sequence<Float>) {
        for margin in margins { add(margin) }
    }

    private mutating func add(_ margin: Float) {
        let value = margin.isFinite ? min(max(0, Double(margin)), Self.clip) : Self.clip
        tokens += 1
        differing += margin == 0 ? 0 : 1
        sum += value
        squares += value * value
    }

    /// Adds the tokens of another tally.
    public mutating func merge(_ other: MarginTally) {
        tokens += other.tokens
        differing += other.differing
        sum += other.sum
        squares += other.squares
    }

    /// The mean cut margin; 0 without tokens.
    public var mean: Double { tokens == 0 ? 0 : sum / Double(tokens) }

    /// A bound that the true mean exceeds unless `deviations` standard errors are exceeded by chance.
    public func lowerBound(deviations: Double) -> Double {
        guard tokens > 1 else { return 0 }
        let count = Double(tokens)
        let variance = max(0, squares / count - mean * mean) * count / (count - 1)
        return max(0, mean - deviations * (variance / count).squareRoot())
    }

    /// Whether so many tokens say, with `deviations` standard errors to spare, that the mean lies above a limit.
    ///
    /// Under 256 tokens they say nothing: the standard error is not to be trusted yet.
    public func exceeds(_ limit: Double, deviations: Double = 5) -> Bool {
        tokens >= 256 && lowerBound(deviations: deviations) > limit
    }
}
