import Tensors

/// How far tokens lie inside or outside of what filters leave.
///
/// An engine in another arithmetic finds the edge a little elsewhere. A token's distance is how far logits ÷ temperature
/// must move against one another until it passes the edge: x where each of them may move by x ÷ 2. For top-k and min-p that is a
/// difference of two logits ÷ temperature, for top-p one of log-odds: of the weight before the token, to all that follows.
struct FilterEdge {
    private let filters: TokenFilters
    /// Ids, most probable first.
    private let order: [Int]
    /// Their logits ÷ temperature.
    private let scaled: [Float]
    /// The weights of the tokens before each that top-k leaves.
    private let before: [Float]
    /// Their whole weight.
    private let total: Float

    init(_ filters: TokenFilters, _ logits: UnsafeBufferPointer<Float>) {
        self.filters = filters
        let order = TokenFilters.order(of: logits)
        let scaled = order.map { logits[$0] / filters.temperature }
        (self.order, self.scaled) = (order, scaled)
        var (before, sum) = ([Float](), Float(0))
        if filters.topP != nil {
            let left = filters.topK > 0 ? min(filters.topK, order.count) : order.count
            CanonicalEnvironment.run {
                for rank in 0..<left {
                    before.append(sum)
                    sum += Kernels.exp(scaled[rank] - scaled[0])
                }
            }
        }
        (self.before, total) = (before, sum)
    }

    /// Above 0 for a token that the filters leave, below 0 for one that they remove.
    func distance(of token: Int) -> Float {
        // The most probable token always stays.
        guard let rank = order.firstIndex(of: token), rank > 0 else { return .infinity }
        var distance = Float.infinity
        if filters.topK > 0, filters.topK < order.count {
            let other = rank < filters.topK ? filters.topK : filters.topK - 1
            distance = scaled[rank] - scaled[other]
        }
        if filters.minP > 0 {
            distance = min(distance, scaled[rank] - scaled[0] - Kernels.log(filters.minP))
        }
        if let topP = filters.topP { distance = min(distance, nucleus(rank, Kernels.log(topP / (1 - topP)))) }
        return distance
    }

    /// The distance to the edge of top-p, whose log-odds are given: by another share of the weight before the token, by its
    /// changing places with another token, or by both.
    private func nucleus(_ rank: Int, _ edge: Float) -> Float {
        // A token that top-k removed would stand in the last one's place.
        let place = min(rank, before.count - 1)
        let direct = room(place, edge)
        let isInside = direct >= 0
        var distance = abs(direct)
        var other = isInside ? place + 1 : place - 1
        while before.indices.contains(other) {
            let gap = abs(scaled[other] - scaled[place])
            guard gap < distance else { break }
            distance = min(distance, max(gap, isInside ? room(other, edge) : -room(other, edge)))
            other += isInside ? 1 : -1
        }
        return isInside ? distance : -distance
    }

    /// How far the log-odds of the weight before a rank are below the edge's.
    private func room(_ rank: Int, _ edge: Float) -> Float {
        rank == 0 ? .infinity : edge - Kernels.log(before[rank] / (total - before[rank]))
    }
}
