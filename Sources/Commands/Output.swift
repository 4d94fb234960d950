import EnvironmentKit
import Foundation
import JSON
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

/// JSONL that a person names: every line read strictly, errors with file and line.
enum InputLines {
    /// The longest line that is read, in bytes.
    static let maximumLineBytes = 16 << 20

    /// The values of a file with the lines that they stand in, from 1; blank lines are skipped.
    static func values(from path: String) throws -> [(line: Int, value: JSONValue)] {
        var reader = try LineReader(path: path, maximumLineBytes: maximumLineBytes)
        var values: [(line: Int, value: JSONValue)] = []
        while let line = try reader.next() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            do throws(JSONError) {
                let value = try JSONValue.parse(Array(line))
                guard value.object != nil else {
                    throw JSONError(offset: 0, message: "\(value.kind) instead of an object")
                }
                values.append((reader.line, value))
            } catch {
                throw RoleFailure(.badInput, "\(path):\(reader.line): this is not a JSON object: \(error).")
            }
        }
        return values
    }
}
