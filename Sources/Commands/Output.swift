import Foundation
import Roles

/// Data goes to standard output, one JSON object per line (CONTRACT).
enum Output {
    /// Writes one object.
    ///
    /// Floats are the shortest text that reads back as the same binary32.
    static func line(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(UInt8(ascii: "\n"))
        write(data)
    }

    /// Writes text and a newline.
    static func text(_ text: String) { write(Data((text + "\n").utf8)) }

    /// Writes bytes as they are.
    static func bytes(_ bytes: [UInt8]) {
        if !bytes.isEmpty { write(Data(bytes)) }
    }

    private static func write(_ data: Data) {
        FileHandle.standardOutput.write(data)
    }
}

/// JSONL that a person names: every line decoded, errors with file and line.
enum InputLines {
    /// The longest line that is read, in bytes.
    static let maximumLineBytes = 16 << 20

    static func read<Line: Decodable>(_ type: Line.Type, from path: String) throws -> [Line] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw RoleFailure(.badInput, "\(path) cannot be read.", advice: "Check the name and the permissions.")
        }
        var lines: [Line] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            guard line.count <= maximumLineBytes else {
                throw RoleFailure(.badInput, "\(path):\(index + 1): the line is longer than 16 MiB.")
            }
            do {
                lines.append(try JSONDecoder().decode(type, from: Data(line)))
            } catch {
                throw RoleFailure(
                    .badInput,
                    "\(path):\(index + 1): this is not the JSON object that is expected (\(Self.brief(error))).")
            }
        }
        return lines
    }

    private static func brief(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, _): return "\"\(key.stringValue)\" is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }
}
