import Foundation

/// A file that only grows, each time by one write.
///
/// The file is opened for appending, so several processes (or a process and the one that was killed before it) never
/// overwrite each other, and a reader sees whole records.
final class AppendingFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// Opens or creates the file, and the directory around it.
    init(path: String) throws(TelemetryError) {
        self.path = path
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw TelemetryError(path: path, message: "the file cannot be opened: \(Self.reason())")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Appends all bytes or throws; after a full disk a record may be cut short.
    func append(_ bytes: [UInt8]) throws(TelemetryError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw TelemetryError(path: path, message: "the file cannot be written: \(Self.reason())")
            }
            written += count
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
