import Testing

@testable import Telemetry

struct ProgressLineTests {
    @Test func plainLinesAreRareAndComplete() {
        var line = ProgressLine(title: "training", total: 60, unit: "steps", isTerminal: false, now: 100)
        #expect(line.advance(to: 1, now: 102) == "training 1/60 steps  0.5 steps/s  1 min 58 s left\n")
        #expect(line.advance(to: 2, now: 104) == nil)
        #expect(
            line.advance(to: 6, detail: "reward 0.4", now: 112)
                == "training 6/60 steps  0.5 steps/s  1 min 48 s left  reward 0.4\n")
        #expect(line.advance(to: 60, now: 160) == "training 60/60 steps  1.0 steps/s  took 1 min 0 s\n")
    }

    @Test func aTerminalIsDrawnOver() {
        var line = ProgressLine(title: "x", total: nil, unit: "groups", isTerminal: true, now: 0)
        #expect(line.advance(to: 3, now: 1) == "\r\u{1B}[2Kx 3 groups  3.0 groups/s")
        #expect(line.advance(to: 4, now: 1.05) == nil)
    }

    @Test(arguments: [
        (0.4, "0 s"), (59.4, "59 s"), (200.0, "3 min 20 s"), (18_420.0, "5 h 7 min"), (180_000.0, "2 d 2 h"),
        (.nan, "?"), (-1.0, "?"), (.infinity, "?"),
    ])
    func durations(_ seconds: Double, _ text: String) {
        #expect(ProgressLine.duration(seconds) == text)
    }

    @Test(arguments: [(0.41234, "0.412"), (7.314, "7.31"), (73.14, "73.1"), (1230.4, "1230"), (.nan, "?")])
    func rates(_ value: Double, _ text: String) {
        #expect(ProgressLine.short(value) == text)
    }
}

struct PrometheusTextTests {
    @Test func writesFamiliesOnceAndSorted() {
        let page = PrometheusText()
        page.register("apus_groups_total", .counter, help: "Groups by verdict.\nSecond line")
        page.register("apus_step", .gauge, help: "Step.")
        page.add("apus_groups_total", labels: ["verdict": "accepted", "a": "x\"\\\n"])
        page.add("apus_groups_total", 2, labels: ["a": "x\"\\\n", "verdict": "accepted"])
        page.set("apus_step", 12.5)
        page.set("unknown", 1)
        #expect(
            page.text == """
                # HELP apus_groups_total Groups by verdict.\\nSecond line
                # TYPE apus_groups_total counter
                apus_groups_total{a="x\\"\\\\\\n",verdict="accepted"} 3
                # HELP apus_step Step.
                # TYPE apus_step gauge
                apus_step 12.5

                """)
    }

    @Test func strangersCannotFillTheMemory() {
        let page = PrometheusText()
        page.register("x", .gauge, help: "")
        for index in 0..<2_000 { page.set("x", 1, labels: ["name": "\(index)"]) }
        #expect(page.text.split(separator: "\n").count == PrometheusText.maximumSeries + 2)
    }
}
