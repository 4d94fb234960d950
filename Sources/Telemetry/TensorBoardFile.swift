import Foundation
public import Logging

/// `events.out.tfevents.*`: the metrics for TensorBoard, and for every tool that imports its files.
///
/// The format is a few protobuf fields within checksummed records; writing the bytes by hand saves the dependency.
/// A record is: length (u64), masked CRC32C of the length, payload, masked CRC32C of the payload, little-endian.
public final class TensorBoardFile: Sendable {
    /// The file's path.
    public var path: String { file.path }

    private let file: AppendingFile
    private let logger: Logger

    /// Creates a new file; each start of a run writes its own, as TensorBoard expects.
    ///
    /// - Parameters:
    ///   - directory: The run's directory.
    ///   - host: This machine's name, part of the file's name.
    ///   - time: Seconds since 1970, part of the file's name.
    ///   - logger: Gets a warning for each value that is not finite.
    public init(
        directory: String, host: String = ProcessInfo.processInfo.hostName,
        time: Double = Date().timeIntervalSince1970, logger: Logger
    ) throws(TelemetryError) {
        let safeHost = String(host.prefix(64).map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "." })
        let seconds = String(Int64(time))
        let padded = String(repeating: "0", count: max(0, 10 - seconds.count)) + seconds
        file = try AppendingFile(
            path: "\(directory)/events.out.tfevents.\(padded).\(safeHost).\(ProcessInfo.processInfo.processIdentifier)")
        self.logger = logger
        try file.append(Self.record(Self.versionEvent(time: time)))
    }

    /// Appends one event with every finite value of the row.
    public func append(_ row: MetricRow) throws(TelemetryError) {
        let finite = row.values.filter { Float($0.value).isFinite }
        if finite.count < row.values.count {
            logger.warning("metrics without a finite value were not written", metadata: ["step": "\(row.step)"])
        }
        guard !finite.isEmpty else { return }
        try file.append(Self.record(Self.event(step: row.step, time: row.time, values: finite)))
    }

    /// A payload within its record.
    static func record(_ payload: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(payload.count))
        return length + littleEndian(CRC32C.masked(length)) + payload + littleEndian(CRC32C.masked(payload))
    }

    /// `Event{wall_time = 1: double, file_version = 3: string}`, the first event of every file.
    static func versionEvent(time: Double) -> [UInt8] {
        [0x09] + littleEndian(time.bitPattern) + [0x1A] + sized(Array("brain.Event:2".utf8))
    }

    /// `Event{wall_time = 1: double, step = 2: int64, summary = 5: Summary{value = 1: {tag = 1, simple_value = 2}}}`.
    static func event(step: Int, time: Double, values: [(name: String, value: Double)]) -> [UInt8] {
        var summary: [UInt8] = []
        for (name, value) in values {
            let entry = [0x0A] + sized(Array(name.utf8)) + [0x15] + littleEndian(Float(value).bitPattern)
            summary += [0x0A] + sized(entry)
        }
        return [0x09] + littleEndian(time.bitPattern) + [0x10] + varint(UInt64(bitPattern: Int64(step))) + [0x2A]
            + sized(summary)
    }

    private static func sized(_ bytes: [UInt8]) -> [UInt8] { varint(UInt64(bytes.count)) + bytes }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(truncatingIfNeeded: rest)]
    }

    private static func littleEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
