import Tensors

/// Derivatives of causal attention over one sequence.
///
/// Probabilities are recomputed from the saved bf16 rows. Short sequences go through one C loop; long ones through
/// matrix products over blocks of queries, so that half of the masked square is never computed.
struct AttentionBackward {
    let shape: AttentionShape
    let scratch: Storage<Float>

    private static let shortLength = 48
    private static let queryBlock = 64

    /// Floats of scratch for sequences up to `longest`.
    static func scratchCount(longest: Int, width: Int) -> Int {
        let long = longest > shortLength ? 2 * longest * width + queryBlock * width + 2 * queryBlock * longest : 0
        return max(TrainingKernels.attentionScratch(length: min(longest, shortLength), width: width), long)
    }

    /// Overwrites the derivatives of q, k and v, whose rows lie `stride` floats apart in the order q, k, v.
    func run(
        query: UnsafePointer<BFloat16Bits>, key: UnsafePointer<BFloat16Bits>, value: UnsafePointer<BFloat16Bits>,
        outputGradient: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, stride: Int, length: Int
    ) {
        let queryWidth = shape.heads * shape.headDimension
        let keyValueWidth = shape.keyValueHeads * shape.headDimension
        if length <= Self.shortLength {
            TrainingKernels.attentionBackward(
                query: query, key: key, value: value, outputGradient: outputGradient, queryGradient: gradient,
                keyGradient: gradient + queryWidth, valueGradient: gradient + queryWidth + keyValueWidth,
                gradientStride: stride, length: length, shape: shape, scratch: scratch.pointer)
            return
        }
        for head in 0..<shape.keyValueHeads {
            long(
                head, query: query, key: key, value: value, outputGradient: outputGradient, gradient: gradient,
                stride: stride, length: length)
        }
    }

    private func long(
        _ head: Int, query: UnsafePointer<BFloat16Bits>, key: UnsafePointer<BFloat16Bits>,
        value: UnsafePointer<BFloat16Bits>, outputGradient: UnsafePointer<Float>,
        gradient: UnsafeMutablePointer<Float>, stride: Int, length: Int
    ) {
        let width = shape.headDimension
        let queryWidth = shape.heads * width
        let keyValueWidth = shape.keyValueHeads * width
        let keys = scratch.pointer
        let values = keys + length * width
        let queries = values + length * width
        let scores = queries + Self.queryBlock * width
        let slopes = scores + Self.queryBlock * length
        let keyGradient = gradient + queryWidth + head * width
        let valueGradient = keyGradient + keyValueWidth
        for position in 0..<length {
            let offset = position * keyValueWidth + head * width
            TrainingKernels.widen(key + offset, keys + position * width, count: width)
            TrainingKernels.widen(value + offset, values + position * width, count: width)
            (keyGradient + position * stride).update(repeating: 0, count: width)
            (valueGradient + position * stride).update(repeating: 0, count: width)
        }
        for queryHead in head * shape.group..<(head + 1) * shape.group {
            for first in Swift.stride(from: 0, to: length, by: Self.queryBlock) {
                let rows = min(Self.queryBlock, length - first)
                let seen = first + rows
                for row in 0..<rows {
                    TrainingKernels.widen(
                        query + (first + row) * queryWidth + queryHead * width, queries + row * width, count: width)
                }
                let out = outputGradient + first * queryWidth + queryHead * width
                Blas.multiply(
                    rows: rows, columns: seen, inner: width, left: queries, leftStride: width, right: keys,
                    rightStride: width, .transposed, result: scores, resultStride: seen)
                Blas.multiply(
                    rows: rows, columns: seen, inner: width, left: out, leftStride: queryWidth, right: values,
                    rightStride: width, .transposed, result: slopes, resultStride: seen)
                TrainingKernels.attentionRows(
                    scores: scores, slopes: slopes, rows: rows, first: first, keys: seen, stride: seen,
                    scale: shape.scale)
                Blas.multiply(
                    rows: seen, columns: width, inner: rows, left: scores, leftStride: seen, .transposed, right: out,
                    rightStride: queryWidth, result: valueGradient, resultStride: stride, keep: 1)
                Blas.multiply(
                    rows: rows, columns: width, inner: seen, left: slopes, leftStride: seen, right: keys,
                    rightStride: width, result: gradient + first * stride + queryHead * width, resultStride: stride)
                Blas.multiply(
                    rows: seen, columns: width, inner: rows, left: slopes, leftStride: seen, .transposed,
                    right: queries, rightStride: width, result: keyGradient, resultStride: stride, keep: 1)
            }
        }
    }
}
