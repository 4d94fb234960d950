extension ToplocProof {
    /// Reads proofs as `apus toploc build` and the published package print them: base64, one for each chunk and line.
    ///
    /// - Parameters:
    ///   - bytes: the text as it came; a line feed ends every line, the last one's may be missing.
    ///   - points: how many values each chunk's proof must go through.
    /// - Throws: ``ToplocLineError`` for a line that is no proof, and where there is not exactly one for each chunk: what
    ///   is missing proves nothing.
    public static func parse(lines bytes: [UInt8], points: [Int]) throws(ToplocLineError) -> [ToplocProof] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count == points.count else { throw .count(proofs: lines.count, chunks: points.count) }
        var proofs: [ToplocProof] = []
        proofs.reserveCapacity(points.count)
        for (index, line) in lines.enumerated() {
            do throws(ToplocError) {
                proofs.append(try ToplocProof(base64: String(decoding: line, as: UTF8.self), points: points[index]))
            } catch {
                throw .line(index + 1, error)
            }
        }
        return proofs
    }

    /// How long the text of proofs through so many points is at most, line feeds included.
    public static func lineBytes(points: [Int]) -> Int {
        points.reduce(1) { $0 + 4 * ((2 * $1 + 4) / 3) + 1 }
    }
}

/// Why a list of proofs cannot be read.
public enum ToplocLineError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not exactly one proof for each chunk.
    case count(proofs: Int, chunks: Int)
    /// A line, counted from 1, is no proof.
    case line(Int, ToplocError)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .count(let proofs, let chunks):
            "there are \(proofs) proofs for \(chunks) chunks, and a missing one proves nothing."
        case .line(let number, let error): "line \(number): \(error)"
        }
    }
}
