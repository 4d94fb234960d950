import Foundation
import Synchronization

/// A regular file that is open for reading, and can be mapped.
///
/// Reads go through the descriptor, where a file that another process shortens is an error. A mapping of such a file ends
/// in SIGBUS instead; see ``mapped(_:)``.
final class OpenFile: Sendable {
    /// The path that the file was opened under.
    let path: String
    /// The size when it was opened, in bytes.
    let byteCount: Int
    private let descriptor: Int32
    private let mapping = Mutex<Mapping?>(nil)

    /// Pages of the whole file, read-only.
    private struct Mapping: @unchecked Sendable {
        // Unchecked because of the raw pointer: the pages are read-only and live as long as the file object.
        let bytes: UnsafeRawBufferPointer
    }

    init(path: String) throws(SafetensorsError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .systemCall("cannot open it for reading", file: path) }
        do throws(SafetensorsError) {
            byteCount = try Self.size(of: descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        if let bytes = mapping.withLock({ $0 })?.bytes {
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        }
        close(descriptor)
    }

    /// Fills `destination` with the bytes from `offset` on.
    ///
    /// - Throws: `SafetensorsError` with rule `inputOutput`, also when the file ends before.
    func read(at offset: Int, into destination: UnsafeMutableRawBufferPointer) throws(SafetensorsError) {
        var filled = 0
        while filled < destination.count {
            let count = pread(
                descriptor, destination.baseAddress?.advanced(by: filled), destination.count - filled,
                off_t(offset + filled))
            if count < 0 {
                if errno == EINTR { continue }
                throw .systemCall("cannot read it", file: path)
            }
            if count == 0 { throw shortened() }
            filled += count
        }
    }

    /// The bytes of a part of the file, good while this object lives.
    ///
    /// The size is checked first: a file that was shortened since it was opened is an error here. One that is shortened
    /// between this call and the use of the bytes kills the process with SIGBUS; every writer of Apus renames complete
    /// files over old ones, which leaves mappings whole.
    ///
    /// - Throws: `SafetensorsError` with rule `inputOutput`.
    func mapped(_ range: Range<Int>) throws(SafetensorsError) -> UnsafeRawBufferPointer {
        guard !range.isEmpty else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard try Self.size(of: descriptor, path) >= range.upperBound else { throw shortened() }
        let whole: Mapping? = mapping.withLock { mapping in
            if let mapping { return mapping }
            guard let address = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
            else { return nil }
            let made = Mapping(bytes: UnsafeRawBufferPointer(start: address, count: byteCount))
            mapping = made
            return made
        }
        guard let whole else { throw .systemCall("cannot map it into memory", file: path) }
        return UnsafeRawBufferPointer(rebasing: whole.bytes[range])
    }

    private static func size(of descriptor: Int32, _ path: String) throws(SafetensorsError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .systemCall("cannot read its size", file: path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(.inputOutput, file: path, "it is not a regular file")
        }
        return Int(status.st_size)
    }

    private func shortened() -> SafetensorsError {
        SafetensorsError(
            .inputOutput, file: path, "it had \(byteCount) bytes when it was opened, and was shortened since")
    }
}

extension SafetensorsError {
    /// An error of the operating system, with the text for `errno`.
    static func systemCall(_ what: String, file: String) -> SafetensorsError {
        SafetensorsError(.inputOutput, file: file, "\(what): \(String(cString: strerror(errno)))")
    }
}
