import Foundation
import Logging
import Testing

@testable import Telemetry

struct TensorBoardFileTests {
    @Test func checksumsMatchPublishedOnes() {
        // RFC 3720, B.4.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func theFirstRecordIsTheOneThatTensorFlowWrites() {
        // wall_time 0 written as a field, then file_version "brain.Event:2"; length 24.
        let record = TensorBoardFile.record(TensorBoardFile.versionEvent(time: 0))
        #expect(record[0..<8].elementsEqual([24, 0, 0, 0, 0, 0, 0, 0]))
        // The masked CRC of the length 24, as in every event file.
        #expect(record[8..<12].elementsEqual([0xA3, 0x7F, 0x4B, 0x22]))
        #expect(record[12...].starts(with: [0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x1A, 13] + Array("brain.Event:2".utf8)))
        #expect(record.count == 8 + 4 + 24 + 4)
    }

    @Test func parsesBack() throws {
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try TensorBoardFile(
            directory: folder, host: "a/b host", time: 1_700_000_000.5, logger: Logger(label: "test"))
        #expect(file.path.contains("/events.out.tfevents.1700000000.a.b.host."))
        try file.append(MetricRow(step: 300, time: 2.5, ["reward/mean": 0.25, "x": .nan, "loss/mean": -3]))
        try file.append(MetricRow(step: 301, time: 3, ["x": .infinity]))
        try file.append(MetricRow(step: -1, time: 4, ["y": 1]))
        let events = try Self.events(in: Data(contentsOf: URL(fileURLWithPath: file.path)))
        #expect(events.count == 3)
        #expect(events[0] == Event(time: 1_700_000_000.5, version: "brain.Event:2"))
        #expect(events[1] == Event(time: 2.5, step: 300, values: ["reward/mean": 0.25, "loss/mean": -3]))
        #expect(events[2] == Event(time: 4, step: -1, values: ["y": 1]))
    }

    struct Event: Equatable {
        var time = 0.0
        var step = 0
        var version = ""
        var values: [String: Float] = [:]
    }

    struct Malformed: Error {}

    /// An independent reader of the format.
    static func events(in data: Data) throws -> [Event] {
        var rest = data[...]
        var events: [Event] = []
        while !rest.isEmpty {
            let length = rest.prefix(8)
            let size = Int(integer(length))
            guard rest.count >= 16 + size else { throw Malformed() }
            guard integer(rest.dropFirst(8).prefix(4)) == UInt64(CRC32C.masked(length)) else { throw Malformed() }
            let payload = rest.dropFirst(12).prefix(size)
            guard integer(rest.dropFirst(12 + size).prefix(4)) == UInt64(CRC32C.masked(payload)) else {
                throw Malformed()
            }
            events.append(try event(payload))
            rest = rest.dropFirst(16 + size)
        }
        return events
    }

    private static func event(_ payload: Data) throws -> Event {
        var event = Event()
        for (field, bytes) in try fields(payload) {
            switch field {
            case 1: event.time = Double(bitPattern: integer(bytes))
            case 2: event.step = Int(Int64(bitPattern: integer(bytes)))
            case 3: event.version = String(decoding: bytes, as: UTF8.self)
            case 5:
                for (_, value) in try fields(bytes) {
                    let parts = Dictionary(uniqueKeysWithValues: try fields(value))
                    let tag = String(decoding: parts[1] ?? Data(), as: UTF8.self)
                    event.values[tag] = Float(bitPattern: UInt32(integer(parts[2] ?? Data())))
                }
            default: throw Malformed()
            }
        }
        return event
    }

    private static func fields(_ data: Data) throws -> [(Int, Data)] {
        var rest = data[...]
        var result: [(Int, Data)] = []
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            throw Malformed()
        }
        while !rest.isEmpty {
            let key = try varint()
            var bytes: Data
            switch key & 7 {
            case 0: bytes = withUnsafeBytes(of: try varint().littleEndian) { Data($0) }
            case 1:
                bytes = Data(rest.prefix(8))
                rest = rest.dropFirst(8)
            case 2:
                let count = Int(try varint())
                bytes = Data(rest.prefix(count))
                rest = rest.dropFirst(count)
            case 5:
                bytes = Data(rest.prefix(4))
                rest = rest.dropFirst(4)
            default: throw Malformed()
            }
            result.append((Int(key >> 3), bytes))
        }
        return result
    }

    private static func integer(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
