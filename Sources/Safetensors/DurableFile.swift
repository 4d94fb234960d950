import Foundation

/// Writes files that are either complete and on the disk, or not there.
public enum DurableFile {
    /// Writes a file beside its destination, syncs it, renames it into place and syncs the folder.
    ///
    /// A crash at any moment leaves the old file or the new one. A stale temporary file of an earlier crash is replaced.
    ///
    /// - Parameters:
    ///   - path: the destination, replaced if it exists.
    ///   - body: writes the content through the writer that it is given.
    /// - Throws: `SafetensorsError` with rule `inputOutput`, and what `body` throws; the destination is then untouched.
    public static func write(to path: String, _ body: (FileWriter) throws -> Void) throws {
        let temporary = "\(path).\(getpid()).partial"
        unlink(temporary)
        do {
            let writer = try FileWriter(path: temporary)
            try body(writer)
            try writer.synchronizeAndClose()
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let error = SafetensorsError.systemCall("cannot move the finished file into place", file: path)
            unlink(temporary)
            throw error
        }
        try synchronizeFolder(of: path)
    }

    /// Writes text in the same way.
    ///
    /// - Throws: `SafetensorsError` with rule `inputOutput`.
    public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    /// Writes bytes; see ``write(to:_:)``.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        try write(to: path) { writer in try bytes.withUnsafeBytes(writer.write) }
    }

    /// Syncs the folder that holds `path`, so that a rename in it survives a power cut.
    ///
    /// - Throws: `SafetensorsError` with rule `inputOutput`.
    public static func synchronizeFolder(of path: String) throws(SafetensorsError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
        let folder = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
        try synchronizeFolder(folder.isEmpty ? "." : folder)
    }

    /// Syncs a folder, so that the names in it survive a power cut.
    ///
    /// - Throws: `SafetensorsError` with rule `inputOutput`.
    public static func synchronizeFolder(_ folder: String) throws(SafetensorsError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .systemCall("cannot open the folder", file: folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .systemCall("cannot sync the folder", file: folder) }
    }
}

/// Appends bytes to a file that is being written.
public final class FileWriter {
    private let path: String
    private var descriptor: Int32

    init(path: String) throws(SafetensorsError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .systemCall("cannot create it", file: path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Appends all of `bytes`.
    ///
    /// - Throws: `SafetensorsError` with rule `inputOutput`, for example when the disk is full.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw .systemCall("cannot write to it", file: path)
            }
            rest = rest.dropFirst(count)
        }
    }

    func synchronizeAndClose() throws(SafetensorsError) {
        guard fsync(descriptor) == 0 else { throw .systemCall("cannot sync it", file: path) }
        let result = close(descriptor)
        descriptor = -1
        guard result == 0 else { throw .systemCall("cannot close it", file: path) }
    }
}
