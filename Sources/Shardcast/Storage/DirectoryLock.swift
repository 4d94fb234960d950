import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Holds a directory for one process; the kernel lets go when the process ends, however it ends.
final class DirectoryLock: Sendable {
    /// Attempts, ten milliseconds apart, before the directory counts as in use.
    private static let attempts = 30

    private let descriptor: Mutex<Int32?>

    /// - Throws: ``ShardcastError`` of kind `directoryInUse` if another process (or another object) holds it.
    init(directory: String) throws(ShardcastError) {
        let path = "\(directory)/.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .system("create", path) }
        // A process that is just being spawned holds copies of all descriptors until it executes its program, and a
        // predecessor may be about to end: neither is another owner.
        var attempts = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            attempts += 1
            if code == EWOULDBLOCK, attempts < Self.attempts {
                usleep(10_000)
                continue
            }
            close(descriptor)
            guard code == EWOULDBLOCK else { throw .system("lock", path, code: code) }
            throw ShardcastError(
                .directoryInUse, "Another process works in \(directory): stop it, or use another directory.")
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Lets go before the object does, for owners that end before they are forgotten.
    func release() {
        let held = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        if let held { close(held) }
    }
}
