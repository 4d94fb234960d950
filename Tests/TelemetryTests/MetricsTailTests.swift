import Foundation
import Logging
import Testing

@testable import Telemetry

@Suite("The end of metrics.jsonl")
struct MetricsTailTests {
    let path = NSTemporaryDirectory() + "metrics-\(UUID().uuidString).jsonl"
    let log = Logger(label: "test")

    @Test("A new file has no newest row, a continued one has its last")
    func newest() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try MetricsFile(path: path, logger: log).newestRow == nil)
        let file = try MetricsFile(path: path, logger: log)
        try file.append(MetricRow(step: 1, time: 10, ["reward/mean": 0.25]))
        try file.append(MetricRow(step: 2, time: 11, ["reward/mean": 0.5]))
        let row = try #require(try MetricsFile(path: path, logger: log).newestRow)
        #expect(row.step == 2 && row.time == 11 && row["reward/mean"] == 0.5)
    }

    @Test("Half a line goes, and the next row stands alone", arguments: ["{\"step\": 2, \"ti", "x", "{\"step\": 2}"])
    func torn(half: String) throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try MetricsFile(path: path, logger: log).append(MetricRow(step: 1, time: 10, [:]))
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        try Data((whole + half).utf8).write(to: URL(fileURLWithPath: path))
        let file = try MetricsFile(path: path, logger: log)
        #expect(file.newestRow?.step == 1)
        try file.append(MetricRow(step: 2, time: 11, [:]))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == whole.dropLast() && lines[1].hasPrefix("{\"step\": 2"))
    }

    @Test("A file that holds something else is continued without a newest row")
    func foreign() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("hello\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try MetricsFile(path: path, logger: log).newestRow == nil)
        try Data("no newline at all".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try MetricsFile(path: path, logger: log).newestRow == nil)
    }
}
