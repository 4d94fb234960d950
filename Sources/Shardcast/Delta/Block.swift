#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory for one block of a tensor or one body of a difference, with the slack behind it that decoding needs.
final class Block {
    let pointer: UnsafeMutableRawPointer
    private(set) var capacity: Int

    init(bytes: Int = DeltaFormat.blockBytes) {
        capacity = bytes
        pointer = .allocate(byteCount: bytes + DeltaFormat.slack, alignment: 64)
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: bytes + DeltaFormat.slack)
    }

    deinit { pointer.deallocate() }

    var elements: UnsafeMutablePointer<UInt16> { pointer.assumingMemoryBound(to: UInt16.self) }
    var octets: UnsafeMutablePointer<UInt8> { pointer.assumingMemoryBound(to: UInt8.self) }

    func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        precondition(count <= capacity, "more bytes than a block holds")
        return UnsafeRawBufferPointer(start: pointer, count: count)
    }

    /// Reads exactly `count` bytes of a file.
    func fill(from file: OpenFile, at offset: UInt64, count: Int) throws(ShardcastError) {
        precondition(count <= capacity, "more bytes than a block holds")
        let target = UnsafeMutableRawBufferPointer(start: pointer, count: count)
        guard try file.read(into: target, at: offset) == count else {
            throw ShardcastError(.storage, "\(file.path) became shorter while it was read: let nobody write to it.")
        }
    }

    func isEqual(_ other: Block, count: Int) -> Bool { memcmp(pointer, other.pointer, count) == 0 }
}
