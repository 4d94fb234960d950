import Foundation

/// A file mapped read-only into memory until the object goes away.
///
/// > Important: A file that another process shortens while it is mapped kills the reader with SIGBUS. Every file that
/// > Apus maps is one that nobody writes in place: writers rename complete files over old ones.
final class MappedFile: Sendable {
    /// The file's bytes.
    ///
    /// `nonisolated(unsafe)` because a raw pointer is not `Sendable`; the pages are read-only and live as long as self.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(path: String) throws(SafetensorsError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .systemCall("cannot open it for reading", file: path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .systemCall("cannot read its size", file: path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(.inputOutput, file: path, "it is not a regular file")
        }
        let count = Int(status.st_size)
        // An empty mapping is an error of mmap, and an empty file one of the format.
        guard count > 0 else { throw SafetensorsError(.fileTooShort, file: path, "it is empty") }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw .systemCall("cannot map it into memory", file: path)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}

extension SafetensorsError {
    /// An error of the operating system, with the text for `errno`.
    static func systemCall(_ what: String, file: String) -> SafetensorsError {
        SafetensorsError(.inputOutput, file: file, "\(what): \(String(cString: strerror(errno)))")
    }
}
