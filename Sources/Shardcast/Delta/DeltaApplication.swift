import Identity

/// Applies a chain of differences to the weights of a directory, block by block, in one pass over the files.
///
/// The base is only read, so that applying again after whatever went wrong gives the same. Each tensor has the hash that
/// the last difference names for it, or the application ends with an error; nobody uses the result before.
struct DeltaApplication {
    private let streams: [DeltaStream]
    private let block = Block()

    /// - Parameter streams: One for each version after the base, in order, each at its beginning.
    /// - Throws: ``ShardcastError`` of kind `corruptDelta` if one does not go on where the one before it ends.
    init(_ streams: [DeltaStream]) throws(ShardcastError) {
        self.streams = streams
        for (before, after) in zip(streams, streams.dropFirst()) where before.weightsHash != after.baseWeightsHash {
            throw after.fault("its base is another version than the one before it leads to")
        }
    }

    /// Writes the changed files of the last version.
    ///
    /// - Parameter files: The names and lengths that the files must have, in the order of the streams.
    /// - Parameter progress: Called with the bytes of each finished segment.
    /// - Throws: ``ShardcastError`` of kind `corruptDelta` on any irregularity, also where the base is not the right one.
    func run(
        _ files: [(name: String, bytes: UInt64)], base: String, target: String, progress: (UInt64) -> Void = { _ in }
    ) throws(ShardcastError) {
        for stream in streams where stream.files != files.count {
            throw stream.fault("it has \(stream.files) files where \(files.count) are to be made")
        }
        for file in files {
            guard let source = try OpenFile.reading("\(base)/\(file.name)"), try source.size == file.bytes else {
                throw ShardcastError(.corruptDelta, "\(base)/\(file.name) is not the file that a difference is for.")
            }
            let result = try OpenFile.writing("\(target)/\(file.name)", truncate: false)
            try result.resize(to: file.bytes)
            try run(file, source, result, progress)
        }
        for stream in streams { try stream.finish() }
    }

    private func run(
        _ file: (name: String, bytes: UInt64), _ source: OpenFile, _ result: OpenFile, _ progress: (UInt64) -> Void
    ) throws(ShardcastError) {
        var segments: Int?
        for stream in streams {
            let begun = try stream.beginFile()
            guard begun.name == file.name, begun.bytes == file.bytes, segments.map({ $0 == begun.segments }) ?? true
            else { throw stream.fault("it is for another file than \(file.name)") }
            segments = begun.segments
        }
        var offset: UInt64 = 0
        for _ in 0..<(segments ?? 0) {
            offset += try segment(at: offset, of: file.bytes, source, result)
            progress(offset)
        }
        guard offset == file.bytes else {
            throw ShardcastError(
                .corruptDelta, "The differences for \(file.name) cover \(offset) of \(file.bytes) bytes.")
        }
    }

    /// Makes one segment; returns its length.
    private func segment(
        at start: UInt64, of end: UInt64, _ source: OpenFile, _ result: OpenFile
    ) throws(ShardcastError) -> UInt64 {
        var codings: [DeltaFormat.Coding] = []
        var length: UInt64 = 0
        for stream in streams {
            let begun = try stream.beginSegment()
            guard codings.isEmpty || begun.bytes == length, begun.bytes <= end - start else {
                throw stream.fault("a segment does not fit the file")
            }
            length = begun.bytes
            codings.append(begun.coding)
        }
        var hasher = SHA256()
        let isChanged = codings.contains { $0 != .unchanged }
        var position: UInt64 = 0
        while position < length {
            let count = Int(min(UInt64(DeltaFormat.blockBytes), length - position))
            try block.fill(from: source, at: start + position, count: count)
            for (stream, coding) in zip(streams, codings) {
                switch coding {
                case .unchanged: break
                case .blocks: try stream.decodeBlock(block.elements, count: count / 2)
                case .replaced: try stream.copy(to: block.pointer, count: count)
                }
            }
            if isChanged { hasher.update(block.bytes(count)) }
            try result.write(block.bytes(count), at: start + position)
            position += UInt64(count)
        }
        var expected: Hash256?
        for (stream, coding) in zip(streams, codings) where coding != .unchanged { expected = try stream.hash() }
        if let expected, hasher.finalize() != expected {
            throw ShardcastError(
                .corruptDelta,
                "\(result.path): the tensor at byte \(start) has another hash than was signed: "
                    + "the version that the difference starts from is damaged, or the publisher is faulty.")
        }
        return length
    }
}
