import Synchronization

/// The tasks that one thread of a team is meant to run: `next ..< end` in one word.
///
/// Its owner takes from the front, so that consecutive tasks find consecutive memory on its way; whoever has nothing left
/// takes from the back. A successful exchange of the whole word is a claim on a task of the present call, whatever the
/// thread saw before. A value of this type only refers to the word, which ``ComputeShares`` owns.
struct ComputeShare {
    fileprivate let word: UnsafeMutablePointer<Atomic<UInt64>>

    /// Hands out tasks; the share must be empty.
    func publish(_ tasks: Range<Int>) {
        word.pointee.store(Self.pack(tasks.lowerBound, tasks.upperBound), ordering: .releasing)
    }

    /// The tasks that are left, at the moment of asking.
    var count: Int {
        let current = word.pointee.load(ordering: .relaxed)
        return Int(current >> 32) - Int(current & 0xffff_ffff)
    }

    /// Claims the first task that is left.
    func takeFirst() -> Int? {
        take { next, end in (next, next + 1, end) }
    }

    /// Claims the last task that is left.
    func takeLast() -> Int? {
        take { next, end in (end - 1, next, end - 1) }
    }

    @inline(__always)
    private func take(_ split: (_ next: Int, _ end: Int) -> (task: Int, next: Int, end: Int)) -> Int? {
        var current = word.pointee.load(ordering: .acquiring)
        while true {
            let (next, end) = (Int(current & 0xffff_ffff), Int(current >> 32))
            guard next < end else { return nil }
            let rest = split(next, end)
            let (claimed, original) = word.pointee.compareExchange(
                expected: current, desired: Self.pack(rest.next, rest.end), ordering: .acquiringAndReleasing)
            if claimed { return rest.task }
            current = original
        }
    }

    private static func pack(_ next: Int, _ end: Int) -> UInt64 {
        UInt64(end) << 32 | UInt64(next)
    }
}

/// The shares of all threads of a team.
final class ComputeShares: Sendable {
    // Shares are written by their owners all the time: each on cache lines of its own, neighbours included.
    private static let spacing = 128

    let count: Int
    // Without a check: set once, and what it points at is atomic.
    private nonisolated(unsafe) let memory: UnsafeMutableRawPointer

    init(_ count: Int) {
        self.count = count
        memory = .allocate(byteCount: count * Self.spacing, alignment: Self.spacing)
        for index in 0..<count { self[index].word.initialize(to: Atomic(0)) }
    }

    deinit {
        for index in 0..<count { self[index].word.deinitialize(count: 1) }
        memory.deallocate()
    }

    @inline(__always)
    subscript(index: Int) -> ComputeShare {
        ComputeShare(word: (memory + index * Self.spacing).assumingMemoryBound(to: Atomic<UInt64>.self))
    }
}
