import Foundation

/// Reads files of a directory that a stranger may have made.
enum PlainFile {
    /// The size of a regular file, nil if there is nothing of that name.
    ///
    /// - Throws: `TokenizerError` if it is a directory, a pipe or a device; links to regular files are fine.
    static func byteCount(_ path: String) throws(TokenizerError) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw TokenizerError(.inputOutput, path: path, "it cannot be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TokenizerError(.malformed, path: path, "it is not a regular file")
        }
        return Int(status.st_size)
    }

    /// The bytes of a file, nil if there is nothing of that name.
    ///
    /// - Throws: `TokenizerError` if it has more than `limit` bytes, is no regular file or cannot be read.
    static func read(_ path: String, limit: Int) throws(TokenizerError) -> [UInt8]? {
        guard let size = try byteCount(path) else { return nil }
        guard size <= limit else {
            throw TokenizerError(.malformed, path: path, "it has \(size) bytes, more than \(limit)")
        }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let data = try handle.read(upToCount: limit + 1) ?? Data()
            guard data.count <= limit else {
                throw TokenizerError(.malformed, path: path, "it has more than \(limit) bytes")
            }
            return [UInt8](data)
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw TokenizerError(.inputOutput, path: path, "it cannot be read: \(error.localizedDescription)")
        }
    }
}
