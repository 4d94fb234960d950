import Foundation
import Testing

@testable import Telemetry

struct RewardChartTests {
    static var demo: RewardChart {
        let points = (1...60).map { step in
            let trend = 0.21 + 0.74 * (1 - exp(-Double(step) / 9))
            return RewardChart.Point(step: step, reward: trend + 0.03 * sin(Double(step * step)))
        }
        return RewardChart(
            title: "Reward rises from 0.21 to 0.95", subtitle: "digit-sort, nano, 3 workers (1 dishonest), 60 steps",
            points: points,
            heldOut: [.init(step: 0, reward: 0.21, label: "before"), .init(step: 60, reward: 0.95, label: "after")])
    }

    @Test func isSoundXML() throws {
        var chart = Self.demo
        chart.title = "a < b & \"c\""
        let parser = XMLChecker(chart.svg)
        #expect(parser.isSound)
        #expect(chart.svg.contains("held-out before 0.21"))
        #expect(chart.svg.contains("a &lt; b &amp; &quot;c&quot;"))
        // To look at: APUS_CHART=/tmp/reward.svg swift test --filter RewardChartTests
        if let path = ProcessInfo.processInfo.environment["APUS_CHART"] { try Self.demo.write(to: path) }
    }

    @Test(arguments: [
        [], [RewardChart.Point(step: 1, reward: 0.5)], [RewardChart.Point(step: 5, reward: .nan)],
        [RewardChart.Point(step: 0, reward: -3), RewardChart.Point(step: 100_000, reward: 250)],
    ])
    func drawsWhateverThereIs(_ points: [RewardChart.Point]) {
        let svg = RewardChart(title: "", points: points, heldOut: [.init(step: 0, reward: .infinity, label: "x")]).svg
        #expect(XMLChecker(svg).isSound)
        #expect(!svg.contains("nan") && !svg.contains("inf\""))
    }

    @Test func ticksAreRound() {
        #expect(ChartPlane(steps: [60], values: [0.2, 0.9]).stepTicks == [0, 10, 20, 30, 40, 50, 60])
        #expect(
            ChartPlane(steps: [60], values: [0.2, 0.9]).valueTicks.map(ChartPlane.text) == [
                "0", "0.2", "0.4", "0.6", "0.8", "1",
            ])
        #expect(ChartPlane(steps: [3], values: []).stepTicks == [0, 1, 2, 3])
        #expect(ChartPlane(steps: [1500], values: []).stepTicks == [0, 200, 400, 600, 800, 1000, 1200, 1400])
    }

    @Test func smoothingKeepsEndsAndConstants() {
        #expect(RewardChart.smoothed([0, 1, 2, 3, 4, 5]) == [0, 1, 2, 3, 4, 5])
        #expect(RewardChart.smoothed([2]) == [2])
        #expect(RewardChart.smoothed([]).isEmpty)
    }
}

/// Counts that every tag of generated markup is closed; enough for text that we write ourselves.
struct XMLChecker {
    var isSound = true

    init(_ text: String) {
        var open: [Substring] = []
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            guard let end = rest[start...].firstIndex(of: ">") else {
                isSound = false
                return
            }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                isSound = isSound && open.popLast() == tag.dropFirst()
            } else if !tag.hasSuffix("/") {
                open.append(tag.prefix { $0 != " " })
            }
        }
        isSound = isSound && open.isEmpty
    }
}
