import Testing

@testable import Verification

@Suite struct MarginTests {
    @Test func talliesAddUp() {
        let margins: [Float] = [0, 0.5, 0, 2, 9, .infinity, 0]
        let whole = MarginTally(margins)
        #expect(whole.tokens == 7 && whole.differing == 4)
        #expect(whole.sum == 10.5, "large margins are cut")
        var parts = MarginTally(margins[..<3])
        parts.merge(MarginTally(margins[3...]))
        #expect(parts == whole)
        #expect(MarginTally().mean == 0 && !MarginTally().exceeds(0))
    }

    /// What no single group shows, many tokens do.
    @Test func timeTells() {
        func worker(_ margin: Float, every period: Int, tokens: Int) -> MarginTally {
            MarginTally((0..<tokens).map { $0 % period == 0 ? margin : 0 })
        }
        // Honest foreign arithmetic: one token in fifty, a little. A quantised model: one in ten, somewhat more.
        let honest = worker(0.02, every: 50, tokens: 10_000)
        let quantised = worker(0.06, every: 10, tokens: 10_000)
        #expect(!honest.exceeds(0.002) && quantised.exceeds(0.002))
        #expect(!worker(0.06, every: 10, tokens: 100).exceeds(0.002), "too few tokens say nothing")
        #expect(quantised.lowerBound(deviations: 5) < quantised.mean)
    }
}
