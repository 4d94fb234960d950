import CKernels
import Glibc
import Synchronization
import Testing

@testable import Tensors

@Suite struct ComputePoolTests {
    @Test(arguments: [1, 2, 3, 5]) func everyTaskRunsOnce(_ threads: Int) {
        let pool = ComputePool(threads: threads)
        for tasks in [0, 1, 2, 3, 64, 5000] {
            let counts = Storage<Int>(count: tasks)
            pool.run(tasks) { task, thread in
                #expect(thread >= 0 && thread < threads)
                counts.pointer[task] += 1
            }
            #expect(counts.buffer.allSatisfy { $0 == 1 }, "\(tasks) tasks")
        }
    }

    @Test func manyShortCallsInARow() {
        let pool = ComputePool(threads: 2)
        let total = Atomic<Int>(0)
        for _ in 0..<5000 {
            pool.run(4) { task, _ in total.add(task, ordering: .relaxed) }
        }
        let sum = total.load(ordering: .relaxed)
        #expect(sum == 5000 * 6)
    }

    // A thread that comes late from one call meets the next, which has more tasks or fewer.
    @Test(arguments: [2, 3]) func changingCallsInARow(_ threads: Int) {
        let pool = ComputePool(threads: threads)
        let counts = Storage<Int>(count: 16)
        for call in 0..<20_000 {
            let tasks = 2 + call * 7 % 13
            pool.run(tasks) { task, _ in counts.pointer[task] += 1 }
            for task in 0..<tasks {
                #expect(counts.pointer[task] == 1)
                counts.pointer[task] = 0
            }
        }
    }

    @Test func nestedCallsStayOnTheirThread() {
        let pool = ComputePool(threads: 3)
        let total = Atomic<Int>(0)
        pool.run(8) { _, outer in
            pool.run(8) { _, inner in
                #expect(inner == outer)
                total.add(1, ordering: .relaxed)
            }
        }
        let sum = total.load(ordering: .relaxed)
        #expect(sum == 64)
    }

    @Test func poolsInsideOfPools() {
        let outer = ComputePool(threads: 2)
        let inner = ComputePool(threads: 2)
        let total = Atomic<Int>(0)
        outer.run(4) { _, _ in
            inner.run(4) { _, _ in
                inner.run(2) { _, _ in total.add(1, ordering: .relaxed) }
            }
        }
        let sum = total.load(ordering: .relaxed)
        #expect(sum == 32)
    }

    @Test func noTwoTasksShareAThreadIndex() {
        final class Flag: Sendable {
            let isSet = Atomic<Bool>(false)
        }
        let pool = ComputePool(threads: 3)
        let flags = (0..<3).map { _ in Flag() }
        pool.run(300) { _, thread in
            let wasSet = flags[thread].isSet.exchange(true, ordering: .sequentiallyConsistent)
            #expect(!wasSet)
            flags[thread].isSet.store(false, ordering: .sequentiallyConsistent)
        }
    }

    @Test func callersTakeTurns() async {
        final class Counters: Sendable {
            let pool = ComputePool(threads: 2)
            let inside = Atomic<Int>(0)
            let total = Atomic<Int>(0)
        }
        let counters = Counters()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 {
                        let own = Atomic<Int>(0)
                        counters.pool.run(4) { _, _ in
                            // At most the pool's two threads are inside, whoever called.
                            let inside = counters.inside.add(1, ordering: .sequentiallyConsistent).newValue
                            #expect(inside <= 2)
                            own.add(1, ordering: .relaxed)
                            counters.inside.subtract(1, ordering: .sequentiallyConsistent)
                        }
                        // A call returns when its own tasks are done, not another caller's.
                        counters.total.add(own.load(ordering: .relaxed), ordering: .relaxed)
                    }
                }
            }
        }
        let total = counters.total.load(ordering: .relaxed)
        #expect(total == 1600)
    }

    /// Threads that have parked must hear of the next call, and a caller that has parked of its end.
    @Test(arguments: [2, 3]) func parkedThreadsAreWoken(_ threads: Int) {
        let pool = ComputePool(threads: threads)
        let done = Atomic<Int>(0)
        for round in 0..<40 {
            pool.run(threads) { _, thread in
                // One of the others is late, by more than anyone spins.
                if thread != 0 || round % 4 == 0 { usleep(300) }
                done.add(1, ordering: .relaxed)
            }
            if round % 2 == 0 { usleep(2000) }
        }
        let total = done.load(ordering: .relaxed)
        #expect(total == 40 * threads)
    }

    @Test func everyThreadComputesInTheCanonicalEnvironment() {
        #expect(!CanonicalEnvironment.isActive)
        for threads in [1, 3] {
            let pool = ComputePool(threads: threads)
            pool.run(100) { _, _ in
                #expect(CanonicalEnvironment.isActive)
            }
            #expect(!CanonicalEnvironment.isActive, "the caller's environment comes back")
        }
    }

    @Test func environmentFlushesAndNests() {
        let tiny: Float = 0x1p-126
        let half = CanonicalEnvironment.run { CanonicalEnvironment.run { product(tiny, 0.5) } }
        #expect(half == 0)
        #expect(product(tiny, 0.5) > 0)
        struct Failure: Error {}
        #expect(throws: Failure.self) { try CanonicalEnvironment.run { throw Failure() } }
        #expect(!CanonicalEnvironment.isActive)
    }

    @inline(never) private func product(_ a: Float, _ b: Float) -> Float {
        a * b
    }

    @Test func poolsComeAndGo() {
        for index in 0..<50 {
            let pool = ComputePool(threads: 2)
            if index % 2 == 0 { pool.run(3) { _, _ in } }
        }
    }
}
