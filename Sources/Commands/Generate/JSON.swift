import Foundation
import Telemetry

/// The few pieces of JSON that are written by hand, so that a binary32 is the shortest text that reads back the same.
enum JSON {
    static func list(_ values: [Int32]) -> String { values.map(String.init).joined(separator: ",") }

    static func list(_ values: [Float]) -> String { values.map(number).joined(separator: ",") }

    static func number(_ value: Float) -> String { JSONText.number(value) ?? "null" }

    static func string(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
