import Tensors

/// Derivatives of causal attention over the sequences of a micro-batch.
///
/// Probabilities are recomputed from the saved bf16 rows. Short sequences go through one C loop; long ones through
/// matrix products over blocks of queries, so that half of the masked square is never computed, nor what lies before a
/// window, and memory grows with the length only.
struct AttentionBackward {
    let crew: TrainingCrew
    let kernels: Kernels
    let shape: AttentionShape
    let scratch: Scratch

    /// Memory for each thread.
    struct Scratch {
        /// Forward attention uses it too.
        let floats: [Storage<Float>]
        /// The factors of products in bf16; none where they are in f32.
        let operands: [Operands]
    }

    /// The rows of a micro-batch, and where their derivatives go.
    struct Rows {
        let query: UnsafePointer<BFloat16Bits>
        let key: UnsafePointer<BFloat16Bits>
        let value: UnsafePointer<BFloat16Bits>
        /// [rows, query width].
        let outputGradient: UnsafePointer<Float>
        /// Room for the same, rounded; used in bf16.
        let roundedGradient: UnsafeMutablePointer<BFloat16Bits>
        /// Overwritten; rows lie `stride` floats apart and hold q, k and v in this order.
        let gradient: UnsafeMutablePointer<Float>
        let stride: Int
    }

    private static let shortLength = 48
    private static let queryBlock = 64

    /// Floats of scratch for sequences up to `longest`.
    static func scratchCount(longest: Int, width: Int, precision: TrainingPlan.Precision) -> Int {
        let short = TrainingKernels.attentionScratch(length: min(longest, shortLength), width: width)
        guard precision == .float32 else { return short }
        return max(short, 2 * longest * width + queryBlock * width + 2 * queryBlock * longest)
    }

    /// Runs over all sequences.
    func run(_ batch: MicroBatch, _ rows: Rows) {
        let tasks = tasks(batch)
        let isRounded = !scratch.operands.isEmpty
        if isRounded, tasks.contains(where: { $0.head != nil }) {
            crew.run(over: batch.rowCount * queryWidth, by: 1 << 15) { block, _ in
                kernels.roundToBFloat16(
                    rows.outputGradient + block.lowerBound, into: rows.roundedGradient + block.lowerBound,
                    count: block.count)
            }
        }
        crew.run(tasks.count) { index, thread in
            let task = tasks[index]
            let length = task.part.rows.count
            if let head = task.head, isRounded {
                rounded(head, task.part, task.followers, rows, scratch.operands[thread])
            } else if let head = task.head {
                long(head, part(task.part, of: rows), length: length, scratch: scratch.floats[thread].pointer)
            } else {
                short(part(task.part, of: rows), length: length, scratch: scratch.floats[thread].pointer)
            }
        }
    }

    /// A sequence, or a prompt with all that begin with it: all heads of a short one, else one key and value head.
    private struct Work {
        let part: MicroBatch.Part
        let followers: [MicroBatch.Part]
        let head: Int?
    }

    private func tasks(_ batch: MicroBatch) -> [Work] {
        batch.parts.filter { $0.prompt == nil }.flatMap { part in
            let followers = batch.parts.filter { $0.prompt?.rows == part.rows }
            return isShort(part.rows.count) && followers.isEmpty
                ? [Work(part: part, followers: [], head: nil)]
                : (0..<shape.keyValueHeads).map { Work(part: part, followers: followers, head: $0) }
        }
    }

    private func isShort(_ length: Int) -> Bool {
        length <= Self.shortLength && (shape.window == 0 || length <= shape.window)
    }

    var queryWidth: Int { shape.heads * shape.headDimension }
    var keyValueWidth: Int { shape.keyValueHeads * shape.headDimension }

    private func part(_ part: MicroBatch.Part, of rows: Rows) -> Rows {
        let first = part.rows.lowerBound
        return Rows(
            query: rows.query + first * queryWidth, key: rows.key + first * keyValueWidth,
            value: rows.value + first * keyValueWidth, outputGradient: rows.outputGradient + first * queryWidth,
            roundedGradient: rows.roundedGradient + first * queryWidth,
            gradient: rows.gradient + first * rows.stride, stride: rows.stride)
    }

    private func short(_ rows: Rows, length: Int, scratch: UnsafeMutablePointer<Float>) {
        TrainingKernels.attentionBackward(
            query: rows.query, key: rows.key, value: rows.value, outputGradient: rows.outputGradient,
            queryGradient: rows.gradient, keyGradient: rows.gradient + queryWidth,
            valueGradient: rows.gradient + queryWidth + keyValueWidth, gradientStride: rows.stride, length: length,
            shape: shape, scratch: scratch)
    }

    /// One key and value head with its queries.
    private func long(_ head: Int, _ rows: Rows, length: Int, scratch: UnsafeMutablePointer<Float>) {
        let width = shape.headDimension
        let keys = scratch
        let values = keys + length * width
        let keyGradient = rows.gradient + queryWidth + head * width
        let valueGradient = keyGradient + keyValueWidth
        for position in 0..<length {
            let offset = position * keyValueWidth + head * width
            TrainingKernels.widen(rows.key + offset, keys + position * width, count: width)
            TrainingKernels.widen(rows.value + offset, values + position * width, count: width)
            (keyGradient + position * rows.stride).update(repeating: 0, count: width)
            (valueGradient + position * rows.stride).update(repeating: 0, count: width)
        }
        for queryHead in head * shape.group..<(head + 1) * shape.group {
            for first in stride(from: 0, to: length, by: Self.queryBlock) {
                block(
                    rows, head: head, queryHead: queryHead, queries: first..<min(first + Self.queryBlock, length),
                    keys: keys, values: values, scratch: values + length * width)
            }
        }
    }

    /// A block of queries of one head against everything that any of them sees.
    private func block(
        _ rows: Rows, head: Int, queryHead: Int, queries range: Range<Int>, keys: UnsafePointer<Float>,
        values: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let width = shape.headDimension
        let start = shape.window == 0 ? 0 : max(0, range.lowerBound + 1 - shape.window)
        let seen = range.upperBound - start
        let (keys, values) = (keys + start * width, values + start * width)
        let queries = scratch
        let scores = queries + Self.queryBlock * width
        let slopes = scores + Self.queryBlock * seen
        for row in range {
            TrainingKernels.widen(
                rows.query + row * queryWidth + queryHead * width, queries + (row - range.lowerBound) * width,
                count: width)
        }
        let out = rows.outputGradient + range.lowerBound * queryWidth + queryHead * width
        let queryGradient = rows.gradient + range.lowerBound * rows.stride + queryHead * width
        let keyGradient = rows.gradient + start * rows.stride + queryWidth + head * width
        let valueGradient = keyGradient + keyValueWidth
        Blas.multiply(
            rows: range.count, columns: seen, inner: width, left: queries, leftStride: width, right: keys,
            rightStride: width, .transposed, result: scores, resultStride: seen)
        Blas.multiply(
            rows: range.count, columns: seen, inner: width, left: out, leftStride: queryWidth, right: values,
            rightStride: width, .transposed, result: slopes, resultStride: seen)
        TrainingKernels.attentionRows(
            scores: scores, slopes: slopes, rows: range.count, first: range.lowerBound - start, keys: seen,
            stride: seen, window: shape.window, scale: shape.scale)
        Blas.multiply(
            rows: seen, columns: width, inner: range.count, left: scores, leftStride: seen, .transposed, right: out,
            rightStride: queryWidth, result: valueGradient, resultStride: rows.stride, keep: 1)
        Blas.multiply(
            rows: range.count, columns: width, inner: seen, left: slopes, leftStride: seen, right: keys,
            rightStride: width, result: queryGradient, resultStride: rows.stride)
        Blas.multiply(
            rows: seen, columns: width, inner: range.count, left: slopes, leftStride: seen, .transposed,
            right: queries, rightStride: width, result: keyGradient, resultStride: rows.stride, keep: 1)
    }
}
