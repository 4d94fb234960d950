import Foundation

/// The end of a `metrics.jsonl` that some process left behind.
struct MetricsTail {
    /// More than any row has bytes.
    private static let window = 1 << 20

    /// The last whole row, nil where there is none.
    let newestRow: MetricRow?

    /// Reads the end of the file and cuts off what follows the last newline: half a line, which its writer will write
    /// again, whole.
    init(repairing path: String) throws(TelemetryError) {
        guard let handle = FileHandle(forUpdatingAtPath: path) else {
            newestRow = nil
            return
        }
        do {
            defer { try? handle.close() }
            let size = try handle.seekToEnd()
            let start = size - min(size, UInt64(Self.window))
            try handle.seek(toOffset: start)
            let bytes = try handle.readToEnd() ?? Data()
            let whole =
                bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes.distance(from: bytes.startIndex, to: $0) + 1 } ?? 0
            if whole < bytes.count { try handle.truncate(atOffset: start + UInt64(whole)) }
            newestRow = bytes.prefix(whole).split(separator: UInt8(ascii: "\n")).last.flatMap { Self.row(Data($0)) }
        } catch {
            throw TelemetryError(path: path, message: "the file cannot be read: \(error.localizedDescription)")
        }
    }

    private static func row(_ line: Data) -> MetricRow? {
        guard let values = try? JSONDecoder().decode([String: Double].self, from: line), let step = values["step"],
            let step = Int(exactly: step), let time = values["time"]
        else { return nil }
        var row = MetricRow(step: step, time: time)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where name != "step" && name != "time" {
            row[name] = value
        }
        return row
    }
}
