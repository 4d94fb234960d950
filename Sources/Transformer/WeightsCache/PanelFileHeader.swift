import Identity
import Tensors

/// The first page of a file of packed weights: what they are, and what their bytes hash to.
///
/// `"APUSPNL\0"` ‖ u32le format 1 ‖ u32le panel width ‖ u64le payload bytes ‖ layout key ‖ weights hash ‖ payload digest ‖
/// SHA-256 of all before; zeros up to ``byteCount``. The payload, one block of ``PanelLayout``, follows in the byte order of the
/// machine.
struct PanelFileHeader: Equatable {
    /// Identifies names, shapes and places of all tensors.
    let layoutKey: Hash256
    /// The identity of the weights.
    let weightsHash: Hash256
    /// The size of the payload.
    let payloadByteCount: Int
    /// See ``digest(of:pool:)``.
    let payloadDigest: Hash256

    /// A page, so that the payload begins on one.
    static let byteCount = 4096
    private static let magic = Array("APUSPNL\0".utf8)
    private static let format: UInt32 = 1
    private static let blockByteCount = 4 << 20

    /// The bytes of the page.
    var bytes: [UInt8] {
        var bytes = Self.magic
        func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        append(Self.format)
        append(UInt32(PackedMatrix.panelWidth))
        append(UInt64(payloadByteCount))
        for hash in [layoutKey, weightsHash, payloadDigest] { bytes += hash.bytes }
        bytes += SHA256.hash(bytes).bytes
        return bytes + [UInt8](repeating: 0, count: Self.byteCount - bytes.count)
    }

    /// Whether a page is exactly this header.
    func matches(_ page: UnsafeRawBufferPointer) -> Bool { page.elementsEqual(bytes) }

    /// The payload digest that a page names; nothing about it is checked.
    static func claimedDigest(_ page: UnsafeRawBufferPointer) -> Hash256? {
        page.count >= 120 ? Hash256(Array(page[88..<120])) : nil
    }

    /// Identifies a layout: everything that decides which element lies where.
    static func key(of layout: ParameterLayout) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/panels/v1")
        hash.update(littleEndian: UInt32(PackedMatrix.panelWidth))
        hash.update(littleEndian: UInt32(layout.slices.count))
        for slice in layout.slices {
            hash.update(littleEndian: UInt32(slice.name.utf8.count))
            hash.update(utf8: slice.name)
            hash.update(littleEndian: UInt32(slice.shape.count))
            for dimension in slice.shape { hash.update(littleEndian: UInt64(dimension)) }
        }
        return hash.finalize()
    }

    /// SHA-256 over the SHA-256 of each block of 4 MiB, which the threads share.
    static func digest(of payload: UnsafeRawBufferPointer, pool: ComputePool) -> Hash256 {
        let count = (payload.count + blockByteCount - 1) / blockByteCount
        let hashes = Storage<UInt8>(count: count * Hash256.byteCount)
        pool.run(count) { block, _ in
            let end = min((block + 1) * blockByteCount, payload.count)
            let hash = SHA256.hash(UnsafeRawBufferPointer(rebasing: payload[block * blockByteCount..<end]))
            let place = UnsafeMutableRawBufferPointer(
                start: hashes.pointer + block * Hash256.byteCount, count: Hash256.byteCount)
            hash.withUnsafeBytes(place.copyMemory)
        }
        return withExtendedLifetime(hashes) { SHA256.hash(UnsafeRawBufferPointer(hashes.buffer)) }
    }
}
