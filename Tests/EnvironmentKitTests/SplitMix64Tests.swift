import Testing

@testable import EnvironmentKit

struct SplitMix64Tests {
    /// The published sequence of seed 1234567.
    @Test func matchesTheReference() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    /// Tasks are named by their seeds: these numbers, computed by a Python twin, may never change.
    @Test func boundedDrawsAreFixed() {
        var random = SplitMix64(stream: 1, 2, 3)
        #expect((0..<8).map { _ in random.integer(in: 0...9) } == [6, 1, 0, 0, 8, 8, 3, 0])
        #expect(random.shuffled([1, 2, 3, 4, 5]) == [5, 4, 3, 2, 1])
    }

    @Test func boundedDrawsAreUniform() {
        var random = SplitMix64(seed: 9)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.integer(in: 0...6)] += 1 }
        #expect(counts.allSatisfy { (9_500...10_500).contains($0) })
        var fractions = 0.0
        for _ in 0..<10_000 { fractions += random.fraction() }
        #expect((4_850...5_150).contains(fractions))
    }

    @Test func edgesHold() {
        var random = SplitMix64(seed: 0)
        #expect(random.integer(below: 0) == 0)
        #expect(random.integer(below: 1) == 0)
        #expect(random.integer(in: 5...5) == 5)
        _ = random.integer(in: Int.min...Int.max)
        #expect((-3...(-1)).contains(random.integer(in: -3...(-1))))
        // Most words below this bound would be rejected by a wrong threshold.
        for _ in 0..<1_000 { #expect(random.integer(below: UInt64.max / 2 + 2) < UInt64.max / 2 + 2) }
        #expect(random.element(of: [Int]()) == nil)
        #expect(random.shuffled([Int]()).isEmpty)
        #expect(random.chance(1) && !random.chance(0))
    }

    @Test func neighbouringStreamsAreUnrelated() {
        let words = Set(
            (0..<1_000).map { index in
                var random = SplitMix64(stream: 0, UInt64(index))
                return random.next()
            })
        #expect(words.count == 1_000)
        var (first, second) = (SplitMix64(stream: 1, 2), SplitMix64(stream: 2, 1))
        #expect(first.next() != second.next())
    }

}
