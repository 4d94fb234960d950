import CDelta
import Identity

/// Reads a stranger's `model.delta` from front to back, in bounded memory.
///
/// Every length is checked before it is used; whatever is irregular ends in ``ShardcastError`` of kind `corruptDelta`.
final class DeltaStream {
    /// Gives bytes from an offset on; fewer than wanted only at the end.
    typealias Read = (UnsafeMutableRawBufferPointer, UInt64) throws(ShardcastError) -> Int

    /// The base that the stream says it is for.
    let baseWeightsHash: Hash256
    /// The weights that it says it leads to.
    let weightsHash: Hash256
    let files: Int
    private let name: String
    private let read: Read
    private let size: UInt64
    /// Where the bytes in `buffer` begin in the stream.
    private var offset: UInt64 = 0
    private var buffer: Block
    private var held = 0
    private var used = 0

    private static let firstBytes = 64 << 10

    /// - Parameter name: For messages.
    /// - Parameter size: The length of the stream.
    init(_ name: String, size: UInt64, _ read: @escaping Read) throws(ShardcastError) {
        self.name = name
        self.read = read
        self.size = size
        let buffer = Block(bytes: Self.firstBytes)
        self.buffer = buffer
        let head = min(size, UInt64(Self.firstBytes))
        let count = try read(UnsafeMutableRawBufferPointer(start: buffer.pointer, count: Int(head)), 0)
        let bytes = UnsafeRawBufferPointer(start: buffer.pointer, count: count)
        guard count >= DeltaFormat.headBytes, bytes[..<8].elementsEqual(DeltaFormat.magic),
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)) == DeltaFormat.version,
            let base = Hash256(bytes[12..<44]), let next = Hash256(bytes[44..<76])
        else { throw Self.fault(name, at: 0, "it does not begin as a difference of format \(DeltaFormat.version)") }
        baseWeightsHash = base
        weightsHash = next
        let files = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 76, as: UInt32.self))
        guard files > 0, files <= ManifestLimits.files else { throw Self.fault(name, at: 76, "it has \(files) files") }
        self.files = Int(files)
        held = count
        used = DeltaFormat.headBytes
    }

    /// Reads a file from its beginning.
    convenience init(_ file: OpenFile) throws(ShardcastError) {
        let size = try file.size
        try self.init(file.path, size: size) { (target, offset) throws(ShardcastError) in
            try file.read(into: target, at: offset)
        }
    }

    /// Begins the next file.
    func beginFile() throws(ShardcastError) -> (name: String, bytes: UInt64, segments: Int) {
        let length = Int(try number(UInt16.self))
        guard length > 0, length <= ManifestLimits.nameBytes else { throw fault("a name has \(length) bytes") }
        let text = String(decoding: try take(length), as: UTF8.self)
        let bytes = try number(UInt64.self)
        let segments = try number(UInt32.self)
        guard FileName.isAllowed(text), bytes <= ManifestLimits.totalBytes, segments > 0,
            segments <= DeltaFormat.segments
        else { throw fault("a file is not one of a model directory") }
        return (text, bytes, Int(segments))
    }

    /// Begins the next segment.
    func beginSegment() throws(ShardcastError) -> (coding: DeltaFormat.Coding, bytes: UInt64) {
        let code = try number(UInt8.self)
        let bytes = try number(UInt64.self)
        guard let coding = DeltaFormat.Coding(rawValue: code), bytes > 0, bytes <= ManifestLimits.totalBytes,
            coding != .blocks || bytes % 2 == 0
        else { throw fault("a segment is coded in an unknown way") }
        return (coding, bytes)
    }

    /// Changes the elements of a block to what the next body says.
    func decodeBlock(_ elements: UnsafeMutablePointer<UInt16>, count: Int) throws(ShardcastError) {
        try fill(Int(CD_HEAD_BYTES), orToEnd: true)
        let bytes = cd_body_bytes(buffer.octets + used, held - used, count)
        guard bytes > 0 else { throw fault("a block does not begin as one") }
        try fill(bytes)
        guard cd_decode(buffer.octets + used, bytes, elements, count) else { throw fault("a block is irregular") }
        used += bytes
    }

    /// Passes over a block without reading more of it than its length.
    func skipBlock(count: Int) throws(ShardcastError) {
        try fill(Int(CD_HEAD_BYTES), orToEnd: true)
        let bytes = cd_body_bytes(buffer.octets + used, held - used, count)
        guard bytes > 0 else { throw fault("a block does not begin as one") }
        try skip(UInt64(bytes))
    }

    /// Passes over bytes.
    func skip(_ count: UInt64) throws(ShardcastError) {
        guard count <= size - min(size, position) else { throw fault("it ends too early") }
        if count <= UInt64(held - used) { used += Int(count) } else { seek(to: position + count) }
    }

    /// Where in the stream reading goes on.
    var position: UInt64 { offset + UInt64(used) }

    /// Goes on reading at a place that ``position`` was before.
    func seek(to position: UInt64) {
        offset = position
        (used, held) = (0, 0)
    }

    /// Copies the next bytes as they are.
    func copy(to target: UnsafeMutableRawPointer, count: Int) throws(ShardcastError) {
        let bytes = try take(count)
        guard let start = bytes.baseAddress else { return }
        target.copyMemory(from: start, byteCount: count)
    }

    /// The hash at the end of a segment.
    func hash() throws(ShardcastError) -> Hash256 {
        guard let hash = Hash256(try take(Hash256.byteCount)) else { throw fault("a hash is missing") }
        return hash
    }

    /// Checks that nothing is left.
    func finish() throws(ShardcastError) {
        guard position == size else { throw fault("something follows its end") }
    }

    private func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(ShardcastError) -> Number {
        Number(littleEndian: try take(MemoryLayout<Number>.size).loadUnaligned(as: type))
    }

    /// The next bytes, good until the next call.
    private func take(_ count: Int) throws(ShardcastError) -> UnsafeRawBufferPointer {
        try fill(count)
        defer { used += count }
        return UnsafeRawBufferPointer(start: buffer.pointer + used, count: count)
    }

    /// Makes at least `count` unread bytes present, which never exceed a block's body.
    private func fill(_ count: Int, orToEnd: Bool = false) throws(ShardcastError) {
        if held - used >= count { return }
        let unread = held - used
        if count > buffer.capacity {
            let larger = Block(bytes: max(count, min(2 * buffer.capacity, DeltaFormat.blockBytes)))
            larger.pointer.copyMemory(from: buffer.pointer + used, byteCount: unread)
            buffer = larger
        } else {
            memmove(buffer.pointer, buffer.pointer + used, unread)
        }
        offset += UInt64(used)
        (used, held) = (0, unread)
        let left = size - min(size, offset + UInt64(held))
        let wanted = min(buffer.capacity - held, Int(clamping: left))
        let target = UnsafeMutableRawBufferPointer(start: buffer.pointer + held, count: wanted)
        held += try read(target, offset + UInt64(held))
        guard held >= count || orToEnd else { throw fault("it ends too early") }
    }

    func fault(_ what: String) -> ShardcastError { Self.fault(name, at: position, what) }

    private static func fault(_ name: String, at position: UInt64, _ what: String) -> ShardcastError {
        ShardcastError(.corruptDelta, "\(name) is no difference that can be used: at byte \(position) \(what).")
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
