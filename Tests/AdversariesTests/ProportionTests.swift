import Testing

@testable import Adversaries

@Suite struct ProportionTests {
    /// Bounds from tables of the Clopper-Pearson interval.
    @Test(arguments: [
        (1, 10, 0.00253, 0.44502), (5, 10, 0.18709, 0.81291), (2, 20, 0.01235, 0.31698), (19, 20, 0.75127, 0.99873),
        (50, 1000, 0.03733, 0.06539),
    ])
    func intervals(count: Int, total: Int, low: Double, high: Double) {
        let interval = Proportion(count, of: total).interval
        #expect(abs(interval.lowerBound - low) < 2e-5, "\(interval)")
        #expect(abs(interval.upperBound - high) < 2e-5, "\(interval)")
    }

    @Test func ruleOfThree() {
        #expect(abs(Proportion(0, of: 1000).interval.upperBound - 0.002991) < 1e-6)
        #expect(abs(Proportion(1000, of: 1000).interval.lowerBound - 0.997009) < 1e-6)
        #expect(Proportion(0, of: 0).interval == 0...1)
    }
}
