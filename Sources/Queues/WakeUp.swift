import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Wakes a thread that waits in `zmq_poll`: a pipe whose reading end is one of the things it polls.
final class WakeUp: Sendable {
    /// The reading end, to be polled.
    let descriptor: Int32
    private let writingEnd: Int32
    private let isPending = Atomic<Bool>(false)

    init() throws(QueueError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw QueueError.system("making a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        descriptor = ends[0]
        writingEnd = ends[1]
    }

    deinit {
        close(descriptor)
        close(writingEnd)
    }

    /// Makes the waiting thread return; cheap when it has been called already.
    func signal() {
        // At most one byte is ever in the pipe, so the write cannot block.
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte: UInt8 = 1
        while write(writingEnd, &byte, 1) < 0 && errno == EINTR {}
    }

    /// Takes the signal back; whatever was prepared before the signal is visible afterwards.
    func clear() {
        guard isPending.load(ordering: .acquiring) else { return }
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) < 0 && errno == EINTR {}
        isPending.store(false, ordering: .sequentiallyConsistent)
    }
}
