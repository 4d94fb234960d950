import Safetensors

/// How a safetensors file is divided into segments.
enum DeltaLayout {
    /// The header, and then the tensors in the order of their bytes; empty ones have no segment.
    ///
    /// - Throws: ``ShardcastError`` of kind `storage` if it is no safetensors file.
    static func segments(of path: String) throws(ShardcastError) -> [DeltaSegment] {
        let file = try open(path)
        var segments: [DeltaSegment] = []
        let start = dataStart(file)
        segments.append(DeltaSegment(range: 0..<start, isHalfWidth: false))
        for (_, info) in ordered(file) where !info.range.isEmpty {
            segments.append(
                DeltaSegment(
                    range: start + UInt64(info.range.lowerBound)..<start + UInt64(info.range.upperBound),
                    isHalfWidth: info.type == .bfloat16 || info.type == .float16))
        }
        return segments
    }

    /// The tensors of a file in the order of their bytes, with where their data section begins.
    static func tensors(of path: String) throws(ShardcastError)
        -> (start: UInt64, tensors: [(name: String, info: TensorInfo)])
    {
        let file = try open(path)
        return (dataStart(file), ordered(file))
    }

    private static func open(_ path: String) throws(ShardcastError) -> SafetensorsFile {
        do throws(SafetensorsError) {
            return try SafetensorsFile(path: path)
        } catch {
            throw ShardcastError(.storage, "\(path) cannot be published: \(error)")
        }
    }

    private static func ordered(_ file: SafetensorsFile) -> [(name: String, info: TensorInfo)] {
        file.tensors.map { (name: $0.key, info: $0.value) }.sorted {
            ($0.info.range.lowerBound, $0.info.range.upperBound) < ($1.info.range.lowerBound, $1.info.range.upperBound)
        }
    }

    /// Tensors follow one another up to the file's end, which the header's rules guarantee.
    private static func dataStart(_ file: SafetensorsFile) -> UInt64 {
        UInt64(file.byteCount - (file.tensors.values.map(\.range.upperBound).max() ?? 0))
    }
}
