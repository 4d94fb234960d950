import Foundation

/// Reads a file line by line without holding all of it; lines end with `\n`, and a last line without one counts.
public struct LineReader {
    private let handle: FileHandle
    private let maximumLineBytes: Int
    private let path: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// The number of the line that was read last, from 1.
    public private(set) var line = 0

    /// Opens a file.
    ///
    /// - Throws: An ``EnvironmentError`` of the kind dataset, here and in ``next()``.
    public init(path: String, maximumLineBytes: Int) throws(EnvironmentError) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw EnvironmentError(.dataset, at: path, "the file cannot be opened; check that it exists")
        }
        self.handle = handle
        self.path = path
        self.maximumLineBytes = maximumLineBytes
    }

    /// The next line without its newline, nil at the end of the file.
    public mutating func next() throws(EnvironmentError) -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = newline + 1 }
                return try counted(buffer[start..<newline])
            }
            guard !isAtEnd else {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return try counted(buffer[start...])
            }
            guard buffer.count - start <= maximumLineBytes else { throw tooLong() }
            searched = buffer.count - start
            try fill()
        }
    }

    private mutating func counted(_ bytes: ArraySlice<UInt8>) throws(EnvironmentError) -> ArraySlice<UInt8> {
        line += 1
        guard bytes.count <= maximumLineBytes else {
            line -= 1
            throw tooLong()
        }
        return bytes
    }

    private mutating func fill() throws(EnvironmentError) {
        buffer.removeSubrange(..<start)
        start = 0
        do {
            guard let data = try handle.read(upToCount: 1 << 18), !data.isEmpty else {
                isAtEnd = true
                return
            }
            buffer.append(contentsOf: data)
        } catch {
            throw EnvironmentError(.dataset, at: path, "the file cannot be read; is it a directory?")
        }
    }

    private func tooLong() -> EnvironmentError {
        EnvironmentError(
            .dataset, at: "\(path):\(line + 1)", "the line is longer than \(maximumLineBytes) bytes; split the example")
    }
}
