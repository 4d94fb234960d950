import Dispatch
import NIOPosix
import Synchronization

/// Waits for many files to reach the disk at the same time.
///
/// A disk takes one flush for all who wait together, but one each for those who wait in turn.
final class ParallelSync: Sendable {
    /// Files that several threads take one by one.
    private final class Batch: Sendable {
        private let files: [OpenFile]
        private let next = Atomic<Int>(0)
        private let failure = Mutex<ShardcastError?>(nil)

        init(_ files: [OpenFile]) { self.files = files }

        var error: ShardcastError? { failure.withLock { $0 } }

        func work() {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < files.count else { return }
                do throws(ShardcastError) { try files[index].synchronize() } catch { failure.withLock { $0 = error } }
            }
        }
    }

    private static let threads = 8
    private let pool = NIOThreadPool(numberOfThreads: threads)

    init() { pool.start() }

    deinit { pool.shutdownGracefully { _ in } }

    /// Returns when all files are on the disk.
    func synchronize(_ files: [OpenFile]) throws(ShardcastError) {
        if files.count == 1 { return try files[0].synchronize() }
        let batch = Batch(files)
        let group = DispatchGroup()
        for _ in 0..<min(Self.threads, files.count) {
            group.enter()
            pool.submit { _ in
                batch.work()
                group.leave()
            }
        }
        group.wait()
        if let error = batch.error { throw error }
    }
}
