/// Builds and checks TOPLOC proofs over whole matrices of activations.
public enum Toploc {
    /// The top values of every chunk of a row-major bf16 matrix.
    ///
    /// - Throws: `ToplocError.invalidShape` unless the values make whole rows and stay below 2³² per chunk.
    public static func topRows(
        of values: UnsafeBufferPointer<UInt16>, hidden: Int, chunking: Chunking = .standard
    ) throws(ToplocError) -> [TopRows] {
        let (chunkValues, overflow) = chunking.rows.multipliedReportingOverflow(by: hidden)
        guard hidden > 0, values.count % hidden == 0, !overflow, chunkValues <= Int(UInt32.max) else {
            throw .invalidShape(
                values: values.count, hidden: hidden, chunkRows: chunking.rows, topK: chunking.topK)
        }
        let rows = values.count / hidden
        return (0..<chunking.count(forRows: rows)).map { chunk in
            let range = chunking.range(ofChunk: chunk, rows: rows)
            let slice = values[range.lowerBound * hidden..<range.upperBound * hidden]
            return TopRows(of: UnsafeBufferPointer(rebasing: slice), count: chunking.topK)
        }
    }

    /// One proof for each chunk of a row-major bf16 matrix.
    public static func proofs(
        of values: UnsafeBufferPointer<UInt16>, hidden: Int, chunking: Chunking = .standard
    ) throws(ToplocError) -> [ToplocProof] {
        var proofs: [ToplocProof] = []
        for top in try topRows(of: values, hidden: hidden, chunking: chunking) {
            proofs.append(try ToplocProof(top))
        }
        return proofs
    }
}
