import JSON
public import Logging

/// `metrics.jsonl`: one object per line, `{"step", "time", "<group>/<name>": number, …}`.
public final class MetricsFile: Sendable {
    /// The last row that was there when the file was opened; nil in a new file.
    public let newestRow: MetricRow?
    private let file: AppendingFile
    private let logger: Logger

    /// Opens or creates the file; an existing file is continued, after a line that a crash or a full disk cut short was
    /// taken away.
    ///
    /// - Parameters:
    ///   - path: Usually `runs/NAME/metrics.jsonl`.
    ///   - logger: Gets a warning for each value that is not finite.
    public init(path: String, logger: Logger) throws(TelemetryError) {
        newestRow = try MetricsTail(repairing: path).newestRow
        file = try AppendingFile(path: path)
        self.logger = logger
    }

    /// Appends one line with one write.
    ///
    /// Values that are not finite are left out, because JSON cannot express them, and named in a warning.
    public func append(_ row: MetricRow) throws(TelemetryError) {
        let (line, dropped) = Self.line(row)
        if !dropped.isEmpty {
            logger.warning(
                "metrics without a finite value were not written",
                metadata: ["step": "\(row.step)", "names": "\(dropped.joined(separator: ", "))"])
        }
        try file.append(Array(line.utf8))
    }

    /// The line with its newline, and the names that were left out.
    static func line(_ row: MetricRow) -> (text: String, dropped: [String]) {
        var members = ["\"step\": \(row.step)", "\"time\": \(JSONText.time(row.time) ?? "0")"]
        var dropped: [String] = []
        for (name, value) in row.values {
            if let number = JSONText.metric(value) {
                members.append("\(JSONText.string(name)): \(number)")
            } else {
                dropped.append(name)
            }
        }
        return ("{\(members.joined(separator: ", "))}\n", dropped)
    }
}
