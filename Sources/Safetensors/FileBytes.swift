import Foundation

/// Reads small files whole, with a limit.
public enum FileBytes {
    /// The bytes of a regular file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - limit: a file of more bytes is refused.
    /// - Throws: `SafetensorsError` with rule `inputOutput`.
    public static func read(_ path: String, atMost limit: Int) throws(SafetensorsError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .systemCall("cannot open it for reading", file: path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .systemCall("cannot read its size", file: path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(.inputOutput, file: path, "it is not a regular file")
        }
        guard status.st_size <= limit else {
            throw SafetensorsError(
                .inputOutput, file: path, "it has \(status.st_size) bytes where at most \(limit) are read")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Foundation.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .systemCall("cannot read it", file: path)
            }
            if count == 0 { throw SafetensorsError(.inputOutput, file: path, "it shrank while it was read") }
            filled += count
        }
        return bytes
    }

    /// Whether there is something at `path`.
    public static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
