import Foundation

/// Why weights cannot be shared on this machine; the caller goes on in private memory.
struct CacheFailure: Error {
    /// What and why, in a clause without a final period.
    let reason: String

    init(_ reason: String) { self.reason = reason }

    /// With the text for `errno`.
    init(system what: String) { self.init("\(what): \(String(cString: strerror(errno)))") }
}

/// The folder of packed weights: its owner's alone, and bounded in size.
struct CacheFolder {
    let path: String

    private static let suffix = ".panels"
    private static let partial = ".partial"
    private static let lockPatience: Duration = .seconds(300)

    /// Makes the folder where it is missing.
    ///
    /// - Throws: `CacheFailure` where it cannot be made, or is open to others: who can write here decides what a process
    ///   computes with.
    func prepare() throws(CacheFailure) {
        // An error may mean that another process made it in this moment, so what is there decides. The last step is one
        // system call: a folder that is made first and closed afterwards would be open to others for a moment.
        try? FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        mkdir(path, 0o700)
        var status = stat()
        guard stat(path, &status) == 0 else { throw CacheFailure(system: "the folder \(path) cannot be made") }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw CacheFailure("\(path) is not a folder that belongs to this user alone; make its mode 0700")
        }
    }

    /// The names of the complete files of a layout.
    func files(key: String) -> [String] { names().filter { $0.hasSuffix("-\(key)\(Self.suffix)") } }

    /// The name of the file for weights.
    static func name(weights: String, key: String) -> String { "\(weights)-\(key)\(suffix)" }

    /// A name for a file that is being built.
    static func partialName(key: String) -> String { "\(key).\(getpid())\(partial)" }

    /// Runs `body` while no other process builds weights of this layout.
    ///
    /// The lock goes with its process, also when that is killed.
    func locked<Value>(key: String, _ body: () throws -> Value) throws -> Value {
        let place = "\(path)/\(key).lock"
        let descriptor = open(place, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CacheFailure(system: "\(place) cannot be opened") }
        defer { close(descriptor) }
        let end = ContinuousClock.now.advanced(by: Self.lockPatience)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw CacheFailure(system: "\(place) cannot be locked")
            }
            guard ContinuousClock.now < end else { throw CacheFailure("another process holds \(place) for too long") }
            usleep(20_000)
        }
        return try body()
    }

    /// Deletes what crashed builds left: those of this layout, whose lock the caller holds, and those of any other that
    /// nobody has touched for an hour, which no build takes.
    func removePartials(key: String) {
        let longAgo = time(nil) - 3600
        for name in names() where name.hasSuffix(Self.partial) {
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            if name.hasPrefix("\(key).") || status.st_mtim.tv_sec < longAgo { unlink("\(path)/\(name)") }
        }
    }

    /// Deletes the files that were used least recently until `count` more bytes fit.
    ///
    /// Processes that have a deleted file mapped keep its pages.
    ///
    /// - Throws: `CacheFailure` when they never fit.
    func makeRoom(for count: Int, maximum: Int) throws(CacheFailure) {
        guard count <= maximum else {
            throw CacheFailure("they take \(count) bytes and \(path) may hold \(maximum)")
        }
        let files = names().filter { $0.hasSuffix(Self.suffix) }.compactMap {
            name -> (path: String, size: Int, used: Int)? in
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { return nil }
            return ("\(path)/\(name)", Int(status.st_size), status.st_mtim.tv_sec)
        }
        var total = files.reduce(count) { $0 + $1.size }
        for file in files.sorted(by: { $0.used < $1.used }) where total > maximum {
            unlink(file.path)
            total -= file.size
        }
    }

    private func names() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
}
