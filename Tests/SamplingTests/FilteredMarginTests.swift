import Identity
import Tensors
import Testing

@testable import Sampling

/// Where filters decide, an honest engine of another arithmetic finds their edge a little elsewhere.
@Suite struct FilteredMarginTests {
    private static let count = 300

    private struct Noise: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) << 32 | (state >> 31) & 0xFFFF_FFFF
        }
    }

    private func logits(_ seed: UInt64) -> [Float] {
        var noise = Noise(state: seed)
        return (0..<Self.count).map { _ in Float.random(in: -4...4, using: &noise) }
    }

    private func chooser(_ parameters: SamplingParameters) throws -> TokenChooser {
        TokenChooser(kernels: try Kernels.preferred(), vocabularySize: Self.count, parameters: parameters)
    }

    private func draw(_ chooser: TokenChooser, _ logits: [Float], _ position: UInt32, claimed: Int32? = nil) throws
        -> ChosenToken
    {
        let words = NoiseKey(runID: .zero, weightsHash: .zero, groupID: .zero, sample: 1).words
        return try chooser.draw(
            TokenDraw(row: 0, chooser: 0, noise: words, position: position, claimed: claimed), from: logits)
    }

    private static let filters = [
        SamplingParameters(samples: 1, maximumTokens: 1, topK: 20),
        SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0.7, topP: 0.8),
        SamplingParameters(samples: 1, maximumTokens: 1, minP: 0.1),
        SamplingParameters(samples: 1, maximumTokens: 1, temperature: 1.5, topK: 40, topP: 0.9, minP: 0.02),
    ]

    /// Logits that each moved by at most δ lead to no margin above 2 δ, whatever they do to the edge.
    @Test(arguments: filters.indices)
    func anEngineThatDiffersLittleHasSmallMargins(index: Int) throws {
        let parameters = Self.filters[index]
        let chooser = try chooser(parameters)
        let deviation: Float = 0.1
        var (differing, removed) = (0, 0)
        for seed in 0..<800 as Range<UInt64> {
            let ours = logits(seed + 1)
            var noise = Noise(state: seed ^ 0x5EED)
            let theirs = ours.map {
                $0 + parameters.temperature * Float.random(in: -deviation...deviation, using: &noise)
            }
            let claimed = try draw(chooser, theirs, UInt32(seed)).token
            let replayed = try draw(chooser, ours, UInt32(seed), claimed: claimed)
            #expect(replayed.margin <= 2 * deviation + 0.001, "claimed \(claimed), replayed \(replayed)")
            guard replayed.token != claimed else { continue }
            differing += 1
            let distance = ours.withUnsafeBufferPointer {
                FilterEdge(TokenFilters(parameters), $0).distance(of: Int(claimed))
            }
            removed += distance < 0 ? 1 : 0
        }
        #expect(differing > 5 && removed > 0, "\(differing) differ, \(removed) of them lie outside the filters")
    }

    /// What the filters keep lies inside by the distance, and what they remove outside.
    @Test(arguments: filters.indices)
    func distancesAgreeWithTheFilters(index: Int) throws {
        let filters = TokenFilters(Self.filters[index])
        for seed in 1...20 as ClosedRange<UInt64> {
            let logits = logits(seed)
            var kept = [Float](repeating: 0, count: Self.count)
            let distances = logits.withUnsafeBufferPointer { values in
                kept.withUnsafeMutableBufferPointer { filters.apply(to: values, into: $0) }
                let edge = FilterEdge(filters, values)
                return values.indices.map(edge.distance)
            }
            for token in logits.indices where abs(distances[token]) > 0.0001 {
                #expect((distances[token] > 0) == (kept[token] > -.infinity), "\(token): \(distances[token])")
            }
        }
    }

    @Test func whatLiesFarOutsideHasALargeMargin() throws {
        let chooser = try chooser(Self.filters[0])
        for seed in 1...50 as ClosedRange<UInt64> {
            let logits = logits(seed)
            let sorted = logits.sorted(by: >)
            for (claimed, logit) in logits.enumerated() where logit < sorted[60] {
                let margin = try draw(chooser, logits, 3, claimed: Int32(claimed)).margin
                #expect(margin >= sorted[19] - logit, "no luck brings \(claimed) inside")
                if claimed > 40 { break }
            }
        }
    }
}
