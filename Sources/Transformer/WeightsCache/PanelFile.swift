import Foundation
import Identity
import Tensors

/// A file of packed weights in memory, shared with every process that maps it.
final class PanelFile {
    private let start: UnsafeMutableRawPointer
    private let byteCount: Int

    private init(_ start: UnsafeMutableRawPointer, byteCount: Int) {
        self.start = start
        self.byteCount = byteCount
    }

    deinit { munmap(start, byteCount) }

    /// The block after the header as elements, which keep this object alive; read-only once the file is complete.
    var elements: Storage<BFloat16Bits> {
        let count = (byteCount - PanelFileHeader.byteCount) / MemoryLayout<BFloat16Bits>.stride
        let first = (start + PanelFileHeader.byteCount).bindMemory(to: BFloat16Bits.self, capacity: count)
        return Storage(first, count: count, owner: self)
    }

    private var header: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: start, count: PanelFileHeader.byteCount)
    }

    private var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + PanelFileHeader.byteCount, count: byteCount - PanelFileHeader.byteCount)
    }

    /// Maps a complete file, if it is one of this user's whose every byte is as it was written.
    ///
    /// - Returns: nil where there is no such file.
    static func open(
        _ path: String, layoutKey: Hash256, weightsHash: Hash256, payloadByteCount: Int, pool: ComputePool
    ) -> PanelFile? {
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        let count = PanelFileHeader.byteCount + payloadByteCount
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
            status.st_mode & 0o022 == 0, Int(status.st_size) == count,
            let file = map(descriptor, count, PROT_READ)
        else { return nil }
        let page = UnsafeRawBufferPointer(file.header)
        guard let digest = PanelFileHeader.claimedDigest(page) else { return nil }
        let header = PanelFileHeader(
            layoutKey: layoutKey, weightsHash: weightsHash, payloadByteCount: payloadByteCount, payloadDigest: digest)
        guard header.matches(page),
            PanelFileHeader.digest(of: file.payload, pool: pool) == digest
        else { return nil }
        // The time of the last use, for eviction; a folder that cannot be written is one that nothing is evicted from.
        _ = utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW)
        return file
    }

    /// Builds a file beside its final name: space first, so that a full disk is an error here and no signal later.
    ///
    /// - Parameters:
    ///   - temporary: the path while it is built; removed on failure.
    ///   - fill: writes the payload, which is zero before, and returns the weights hash and the final path.
    static func build(
        _ temporary: String, layoutKey: Hash256, payloadByteCount: Int, pool: ComputePool,
        _ fill: (PanelFile) throws -> (weightsHash: Hash256, path: String)
    ) throws {
        let descriptor = Foundation.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CacheFailure(system: "\(temporary) cannot be created") }
        defer { close(descriptor) }
        do {
            let count = PanelFileHeader.byteCount + payloadByteCount
            errno = posix_fallocate(descriptor, 0, off_t(count))
            guard errno == 0 else { throw CacheFailure(system: "\(temporary) cannot have \(count) bytes") }
            guard let file = map(descriptor, count, PROT_READ | PROT_WRITE) else {
                throw CacheFailure(system: "\(temporary) cannot be mapped")
            }
            let (weightsHash, path) = try fill(file)
            let header = PanelFileHeader(
                layoutKey: layoutKey, weightsHash: weightsHash, payloadByteCount: payloadByteCount,
                payloadDigest: PanelFileHeader.digest(of: file.payload, pool: pool))
            file.header.copyBytes(from: header.bytes)
            // From here on a stray write is a fault of its own process and no fault of the others.
            mprotect(file.start, file.byteCount, PROT_READ)
            guard rename(temporary, path) == 0 else { throw CacheFailure(system: "\(path) cannot be put in place") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func map(_ descriptor: Int32, _ count: Int, _ protection: Int32) -> PanelFile? {
        guard let address = mmap(nil, count, protection, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            return nil
        }
        return PanelFile(address, byteCount: count)
    }
}
