import Foundation

@testable import Safetensors

/// Builds safetensors bytes by hand, valid or not.
enum Fixture {
    /// A file of a header text, a data section, and an optional false header length.
    static func bytes(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
        let text = Array(header.utf8)
        let size = withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian, Array.init)
        return size + text + [UInt8](repeating: 7, count: data)
    }

    /// Parses bytes as a file.
    static func parse(_ bytes: [UInt8]) throws(SafetensorsError) -> SafetensorsHeader {
        let result: Result<SafetensorsHeader, SafetensorsError> = bytes.withUnsafeBytes { buffer in
            do throws(SafetensorsError) {
                return .success(
                    try SafetensorsHeader(parsing: buffer, fileByteCount: buffer.count, file: "fixture"))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Runs `body` with the path of a new folder that goes away afterwards.
    static func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = NSTemporaryDirectory() + "apus-safetensors-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }
}
