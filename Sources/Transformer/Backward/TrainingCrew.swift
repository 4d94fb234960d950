import Tensors

/// The threads that share one micro-batch: all of a pool's, or the calling one alone.
///
/// Work is cut into blocks whose size does not depend on the number of threads, so that sums over blocks are the same
/// for every number. A crew of one takes everything as one block.
struct TrainingCrew {
    private let pool: ComputePool?

    /// The calling thread.
    static let alone = TrainingCrew(pool: nil)

    /// All threads of a pool.
    init(sharing pool: ComputePool) { self.init(pool: pool) }

    private init(pool: ComputePool?) { self.pool = pool }

    var threads: Int { pool?.threads ?? 1 }
    /// Whether work is cut into blocks at all.
    var isShared: Bool { pool != nil }

    /// Runs independent tasks.
    func run(_ tasks: Int, _ body: (_ task: Int, _ thread: Int) -> Void) {
        if let pool {
            pool.run(tasks, body)
        } else {
            for task in 0..<tasks { body(task, 0) }
        }
    }

    /// The number of blocks that `count` elements are cut into.
    func blockCount(_ count: Int, of size: Int) -> Int { pool == nil ? min(count, 1) : (count + size - 1) / size }

    /// Runs over the blocks of `0 ..< count`, each of at most `size` where the crew is more than one thread.
    func run(over count: Int, by size: Int, _ body: (_ block: Range<Int>, _ thread: Int) -> Void) {
        guard pool != nil else {
            if count > 0 { body(0..<count, 0) }
            return
        }
        run(blockCount(count, of: size)) { task, thread in
            body(task * size..<min((task + 1) * size, count), thread)
        }
    }

    /// A canonical product, shared by the crew.
    func multiply(
        _ kernels: Kernels, _ x: UnsafePointer<BFloat16Bits>, stride: Int, rows: Int, by w: PackedMatrix,
        bias: Storage<Float>? = nil, into out: UnsafeMutablePointer<Float>, outStride: Int, accumulating: Bool = false
    ) {
        let bias = bias.map { UnsafePointer($0.pointer) }
        if let pool {
            kernels.matmul(
                x, stride: stride, rows: rows, by: w, into: out, outStride: outStride, bias: bias,
                accumulating: accumulating, pool: pool)
        } else {
            kernels.matmul(
                x, stride: stride, rows: rows, by: w, into: out, outStride: outStride, bias: bias,
                accumulating: accumulating)
        }
    }
}
