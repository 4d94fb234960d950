import Foundation
import JSON
import Logging
import Testing

@testable import Telemetry

struct MetricsFileTests {
    let logger = Logger(label: "test")

    @Test func appendsOneObjectPerLine() throws {
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/deep/metrics.jsonl"
        try MetricsFile(path: path, logger: logger).append(
            MetricRow(step: 1, time: 1_700_000_000.1234, ["reward/mean": 0.1, "progress/tokens": 20_000_001]))
        // A second process continues the file.
        try MetricsFile(path: path, logger: logger).append(
            MetricRow(step: 2, time: 1_700_000_001, ["loss/mean": -1.5e-7, "mismatch_kl/mean": 0]))
        let lines = try String(contentsOfFile: path, encoding: .utf8)
        #expect(
            lines == """
                {"step": 1, "time": 1700000000.123, "reward/mean": 0.1, "progress/tokens": 20000001}
                {"step": 2, "time": 1700000001.0, "loss/mean": -1.5e-07, "mismatch_kl/mean": 0}

                """)
        for line in lines.split(separator: "\n") {
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        }
    }

    @Test func dropsWhatIsNotFinite() {
        let (line, dropped) = MetricsFile.line(
            MetricRow(step: 3, time: 0, ["a": .nan, "b": 1, "c": .infinity, "d\"\n": -.infinity]))
        #expect(line == "{\"step\": 3, \"time\": 0.0, \"b\": 1}\n")
        #expect(dropped == ["a", "c", "d\"\n"])
    }

    @Test func sayWhichFileCannotBeOpened() {
        let error = #expect(throws: TelemetryError.self) {
            try MetricsFile(path: "/proc/nowhere/metrics.jsonl", logger: logger)
        }
        #expect(error?.description.contains("/proc/nowhere") == true)
    }

    @Test func theLastValueOfANameWins() {
        var row = MetricRow(step: 0, time: 0, ["a": 1, "a": 2])
        #expect(row["a"] == 2)
        #expect(row.values.count == 1)
        row["a"] = nil
        #expect(row.values.isEmpty)
    }
}

struct JSONTextTests {
    @Test func numbersReadBackAsTheSameBinary32() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
            guard let text = JSONText.number(value) else {
                #expect(!value.isFinite)
                continue
            }
            #expect(Float(text) == value)
        }
    }

    @Test(arguments: [
        (0.1, "0.1"), (1.0, "1"), (16_777_217.0, "16777217"), (1e300, "1e+300"), (1e-60, "1e-60"), (-0.25, "-0.25"),
        (2.0 / 3, "0.6666667"), (0.0, "0"),
    ])
    func metrics(_ value: Double, _ text: String) {
        #expect(JSONText.metric(value) == text)
    }

    @Test func textsAreEscaped() {
        #expect(JSONText.string("a\"\\\n\u{1}é") == "\"a\\\"\\\\\\n\\u0001é\"")
    }
}

func temporaryFolder() -> String {
    let path = NSTemporaryDirectory() + "apus-telemetry-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}
