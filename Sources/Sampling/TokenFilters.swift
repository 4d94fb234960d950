import Tensors

/// Top-k, top-p and min-p, in that order, by exact rules (ARITHMETIC rule 9).
///
/// A removed token gets a logit of -infinity, which no noise makes win. With weights `e = exp(z − max)` in f32:
/// top-k keeps the k largest logits, ties to the lowest id; top-p adds up `e` in descending order (ties by id) over
/// what top-k kept, and keeps through the first token at which the sum reaches `p` times the whole sum, taken in the
/// same order; min-p keeps `e ≥ min_p`. The most probable token always stays.
struct TokenFilters: Sendable {
    /// What logits are divided by, never 0.
    let temperature: Float
    let topK: Int
    let topP: Float?
    let minP: Float

    init(_ parameters: SamplingParameters) {
        // Greedy takes the largest logit, which no filter removes; any positive divisor will do.
        temperature = parameters.temperature == 0 ? 1 : parameters.temperature
        topK = parameters.topK
        topP = parameters.hasNucleus ? parameters.topP : nil
        minP = parameters.minP
    }

    /// Copies logits with -infinity in place of every removed token.
    func apply(to logits: UnsafeBufferPointer<Float>, into kept: UnsafeMutableBufferPointer<Float>) {
        CanonicalEnvironment.run {
            guard topK > 0 || topP != nil else {
                let maximum = (logits.max() ?? 0) / temperature
                for id in logits.indices {
                    let weight = Kernels.exp(logits[id] / temperature - maximum)
                    kept[id] = weight >= minP ? logits[id] : -.infinity
                }
                return
            }
            kept.update(repeating: -.infinity)
            var order = Self.order(of: logits)
            if topK > 0, topK < order.count { order.removeLast(order.count - topK) }
            let maximum = (order.first.map { logits[$0] } ?? 0) / temperature
            let weights = order.map { Kernels.exp(logits[$0] / temperature - maximum) }
            let limit = topP.map { $0 * weights.reduce(0, +) }
            var sum: Float = 0
            for (rank, id) in order.enumerated() {
                if weights[rank] >= minP { kept[id] = logits[id] }
                sum += weights[rank]
                if let limit, sum >= limit { break }
            }
        }
    }

    /// The ids, largest logit first, ties to the lowest id.
    static func order(of logits: UnsafeBufferPointer<Float>) -> [Int] {
        logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
    }
}
