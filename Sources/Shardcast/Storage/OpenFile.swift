#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file whose descriptor closes with the last reference.
///
/// All calls block; they touch the page cache, and callers that could wait for a disk use a thread pool.
final class OpenFile: Sendable {
    let descriptor: Int32
    let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens a regular file for reading, not following links; nil if there is none.
    static func reading(_ path: String) throws(ShardcastError) -> OpenFile? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system("open", path)
        }
        let file = OpenFile(descriptor: descriptor, path: path)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw ShardcastError(.storage, "\(path) is not a regular file: remove it.")
        }
        return file
    }

    /// Creates or opens a file for reading and writing.
    static func writing(_ path: String, truncate: Bool) throws(ShardcastError) -> OpenFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (truncate ? O_TRUNC : 0), 0o644)
        guard descriptor >= 0 else { throw .system("create", path) }
        return OpenFile(descriptor: descriptor, path: path)
    }

    var size: UInt64 {
        get throws(ShardcastError) { UInt64(clamping: try status().st_size) }
    }

    func status() throws(ShardcastError) -> stat {
        var result = stat()
        guard fstat(descriptor, &result) == 0 else { throw .system("examine", path) }
        return result
    }

    /// Reads until the buffer is full or the file ends; returns the number of bytes.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(ShardcastError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(clamping: offset) + off_t(done))
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .system("read", path)
            }
            done += count
        }
        return done
    }

    /// All bytes of a small file; nil if it is larger than a limit.
    func contents(upTo limit: UInt64) throws(ShardcastError) -> [UInt8]? {
        let size = try size
        guard size <= limit else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(ShardcastError) in
            try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        return Array(bytes.prefix(count))
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ShardcastError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(clamping: offset) + off_t(done))
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .system("write", path)
            }
            done += count
        }
    }

    func resize(to bytes: UInt64) throws(ShardcastError) {
        guard ftruncate(descriptor, off_t(clamping: bytes)) == 0 else { throw .system("resize", path) }
    }

    /// Returns when the bytes are on the disk.
    func synchronize() throws(ShardcastError) {
        guard fsync(descriptor) == 0 else { throw .system("synchronize", path) }
    }
}

extension ShardcastError {
    /// The error of the last system call, as a sentence.
    static func system(_ action: String, _ path: String, code: Int32 = errno) -> ShardcastError {
        let reason = String(cString: strerror(code))
        guard code == ENOSPC || code == EDQUOT else {
            return ShardcastError(.storage, "Cannot \(action) \(path): \(reason).")
        }
        return ShardcastError(
            .noSpace, "No space left to \(action) \(path) (\(reason)): free space there, or use another directory.")
    }
}
