#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The few operations on directories that publishing and fetching need, with errors as sentences.
enum Directories {
    /// Creates a directory and its parents; one that exists is fine.
    static func create(_ path: String) throws(ShardcastError) {
        if mkdir(path, 0o755) == 0 { return }
        let code = errno
        if code == EEXIST {
            guard exists(path) else { throw .system("create directory", path, code: code) }
            return
        }
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .system("create directory", path, code: code)
        }
        try create(String(path[..<slash]))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("create directory", path) }
    }

    /// Whether a directory is there.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory without `.` and `..`; empty if there is no directory.
    static func names(_ path: String) throws(ShardcastError) -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .system("list", path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes renames and removals inside a directory durable.
    static func synchronize(_ path: String) throws(ShardcastError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("synchronize", path) }
    }

    static func rename(_ source: String, to target: String) throws(ShardcastError) {
        #if canImport(Glibc)
            let result = Glibc.rename(source, target)
        #elseif canImport(Musl)
            let result = Musl.rename(source, target)
        #else
            let result = Darwin.rename(source, target)
        #endif
        guard result == 0 else { throw .system("rename", source) }
    }

    /// Gives a file a second name, replacing whatever had it.
    static func link(_ source: String, to target: String) throws(ShardcastError) {
        try removeFile(target)
        #if canImport(Glibc)
            let result = Glibc.link(source, target)
        #elseif canImport(Musl)
            let result = Musl.link(source, target)
        #else
            let result = Darwin.link(source, target)
        #endif
        guard result == 0 else { throw .system("link", source) }
    }

    /// Removes a file; one that is not there is fine.
    static func removeFile(_ path: String) throws(ShardcastError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
    }

    /// Removes a directory that holds files only, which is all that this room ever makes.
    static func removeFlatDirectory(_ path: String) throws(ShardcastError) {
        for name in try names(path) { try removeFile("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
    }

    /// Bytes that an unprivileged process may still write to the file system of a path.
    static func availableBytes(_ path: String) throws(ShardcastError) -> UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw .system("examine", path) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : bytes
    }

    /// Fails with a sentence if a file system has less room than will be needed.
    static func requireSpace(_ bytes: UInt64, at path: String) throws(ShardcastError) {
        let available = try availableBytes(path)
        guard bytes <= available else {
            throw ShardcastError(
                .noSpace,
                "\(path) needs \(bytes >> 20) MiB more, and its file system has \(available >> 20) MiB left: "
                    + "free space there, or use another directory.")
        }
    }
}
