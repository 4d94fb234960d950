import CDelta
import Identity

/// Writes the difference between the weights of two model directories, in memory of a few blocks.
///
/// Every block is decoded again before it counts: a difference that leads elsewhere is never written.
final class DeltaEncoder {
    /// A written difference, and what it leads to.
    struct Draft {
        let path: String
        let statistics: DeltaStatistics
        /// The weight files that it makes, in the order in which it holds them.
        let files: [(name: String, bytes: UInt64, sha256: Hash256)]
    }

    private let base = Block()
    private let next = Block()
    private let check = Block()
    private let body = Block(bytes: cd_bound(DeltaFormat.blockElements))
    private let scratch = Block(bytes: cd_scratch_bytes(DeltaFormat.blockElements))
    private let sink: DeltaSink
    private let path: String
    private let limit: UInt64
    private var statistics = DeltaStatistics()

    /// - Parameter limit: The length at which the difference is not worth its while.
    init(path: String, limit: UInt64) throws(ShardcastError) {
        self.path = path
        self.limit = limit
        sink = try DeltaSink(path)
    }

    /// Writes the difference between files of the same names in two directories.
    ///
    /// - Parameter hashes: The weights hashes of both, for the stream's head.
    /// - Returns: Nil where the files are not laid out alike, or where the difference reaches the limit.
    /// - Throws: ``ShardcastError`` of kind `storage` or `noSpace`.
    func encode(
        _ names: [String], from baseDirectory: String, to directory: String, hashes: (base: Hash256, next: Hash256)
    ) throws(ShardcastError) -> Draft? {
        sink.append(DeltaFormat.magic)
        sink.append(littleEndian: DeltaFormat.version)
        sink.append(hashes.base.bytes)
        sink.append(hashes.next.bytes)
        sink.append(littleEndian: UInt32(names.count))
        var files: [(name: String, bytes: UInt64, sha256: Hash256)] = []
        for name in names {
            guard let old = try OpenFile.reading("\(baseDirectory)/\(name)"),
                let new = try OpenFile.reading("\(directory)/\(name)")
            else { return nil }
            let bytes = try new.size
            guard try old.size == bytes else { return nil }
            let segments = try DeltaLayout.segments(of: new.path)
            guard segments.count <= DeltaFormat.segments else { return nil }
            sink.append(littleEndian: UInt16(name.utf8.count))
            sink.append(Array(name.utf8))
            sink.append(littleEndian: bytes)
            sink.append(littleEndian: UInt32(segments.count))
            var whole = SHA256()
            for (index, segment) in segments.enumerated() {
                let isChanged = try encode(segment, old, new, &whole)
                // Another header may mean another order of the same tensors.
                if index == 0, isChanged { return nil }
                if sink.position >= limit { return nil }
            }
            files.append((name, bytes, whole.finalize()))
        }
        try sink.finish()
        statistics.bytes = sink.position
        return Draft(path: path, statistics: statistics, files: files)
    }

    private func encode(
        _ segment: DeltaSegment, _ old: OpenFile, _ new: OpenFile, _ whole: inout SHA256
    ) throws(ShardcastError) -> Bool {
        let start = sink.position
        let length = segment.range.upperBound - segment.range.lowerBound
        sink.append(littleEndian: (segment.isHalfWidth ? DeltaFormat.Coding.blocks : .replaced).rawValue)
        sink.append(littleEndian: length)
        var hasher = SHA256()
        var isChanged = false
        var offset = segment.range.lowerBound
        while offset < segment.range.upperBound {
            let count = Int(min(UInt64(DeltaFormat.blockBytes), segment.range.upperBound - offset))
            try base.fill(from: old, at: offset, count: count)
            try next.fill(from: new, at: offset, count: count)
            hasher.update(next.bytes(count))
            whole.update(next.bytes(count))
            if segment.isHalfWidth {
                let bytes = encodeBlock(elements: count / 2)
                isChanged = isChanged || bytes > 1
                try sink.append(body.bytes(bytes))
            } else {
                isChanged = isChanged || !base.isEqual(next, count: count)
                try sink.append(next.bytes(count))
            }
            offset += UInt64(count)
        }
        if segment.isHalfWidth { statistics.elements += length / 2 }
        if isChanged {
            sink.append(hasher.finalize().bytes)
        } else {
            sink.rewind(to: start)
            sink.append(littleEndian: DeltaFormat.Coding.unchanged.rawValue)
            sink.append(littleEndian: length)
        }
        return isChanged
    }

    /// Writes the shortest body that leads to the new block, and makes sure that it does.
    private func encodeBlock(elements: Int) -> Int {
        let bytes = cd_encode(base.elements, next.elements, elements, scratch.pointer, body.octets)
        // A body of one byte says that all is equal; everything else is decoded.
        guard bytes > 1 else { return bytes }
        statistics.changedElements += UInt64(cd_changes(base.elements, next.elements, elements))
        check.pointer.copyMemory(from: base.pointer, byteCount: 2 * elements)
        if cd_decode(body.octets, bytes, check.elements, elements), check.isEqual(next, count: 2 * elements) {
            return bytes
        }
        body.octets[0] = UInt8(CD_FULL)
        (body.pointer + 1).copyMemory(from: next.pointer, byteCount: 2 * elements)
        return 1 + 2 * elements
    }
}
