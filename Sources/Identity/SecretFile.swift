#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Small files that only their owner may read.
enum SecretFile {
    /// No key file comes near this size; a larger file is something else.
    static let maximumBytes = 4096

    /// Reads a whole small file after checking that no other user can.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw IdentityError(
                what: "the key file cannot be opened (\(reason(code)))", location: path,
                advice: code == ENOENT ? "make one with `apus keys new --out \(path)`" : "check the path and its owner",
                isMissing: code == ENOENT)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximumBytes else {
            throw IdentityError(
                what: "this is no key file (not a regular file of at most \(maximumBytes) bytes)", location: path,
                advice: "name the file that `apus keys new` wrote")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw IdentityError(
                what: "other users can read these secret keys (mode \(mode))", location: path,
                advice: "run `chmod 600 \(path)`, and make new keys if somebody may have copied them")
        }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Self.read(descriptor, $0, from: filled) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw IdentityError(
                    what: "the key file cannot be read (\(reason(errno)))", location: path, advice: "check the disk")
            }
            if count == 0 { break }
            filled += count
        }
        return [UInt8](bytes[..<filled])
    }

    /// Makes a file that appears whole or not at all, and never replaces one.
    static func create(_ path: String, _ bytes: [UInt8]) throws {
        func failure(_ what: String) -> IdentityError {
            IdentityError(
                what: "\(what) (\(reason(errno)))", location: path,
                advice: "check that its folder exists, is writable and has space")
        }
        // Written beside its place and then linked: a crash in between leaves no half file under the real name.
        let draft = "\(path).draft-\(Hexadecimal.encode(try randomBytes(8)))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("the key file cannot be made") }
        defer { unlink(draft) }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let synced = fsync(descriptor)
        let closed = close(descriptor)
        guard written == bytes.count, synced == 0, closed == 0 else {
            throw failure("the key file cannot be written")
        }
        guard link(draft, path) == 0 else {
            guard errno == EEXIST else { throw failure("the key file cannot be put in its place") }
            throw IdentityError(
                what: "a file is there already, and keys are never overwritten", location: path,
                advice: "choose another path, or remove the file if nobody needs these keys", isAlreadyThere: true)
        }
    }

    /// Makes the folders that lead to a file, closed to other users.
    static func makeFolders(of path: String) throws {
        let parts = path.split(separator: "/").dropLast()
        var folder = path.hasPrefix("/") ? "" : "."
        for part in parts {
            folder += "/\(part)"
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST || errno == EISDIR else {
                throw IdentityError(
                    what: "the folder cannot be made (\(reason(errno)))", location: folder,
                    advice: "choose a path that this user may write to")
            }
        }
    }

    private static func read(_ descriptor: Int32, _ target: UnsafeMutableRawBufferPointer, from start: Int) -> Int {
        #if canImport(Darwin)
            Darwin.read(descriptor, target.baseAddress! + start, target.count - start)
        #elseif canImport(Musl)
            Musl.read(descriptor, target.baseAddress! + start, target.count - start)
        #else
            Glibc.read(descriptor, target.baseAddress! + start, target.count - start)
        #endif
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
