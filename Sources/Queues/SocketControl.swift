import Synchronization

/// What a socket's thread and its owner share.
final class SocketControl: Sendable {
    let wakeUp: WakeUp
    let statistics = Mutex(QueueStatistics())
    private let isClosing = Atomic<Bool>(false)
    private let ending = Mutex((hasEnded: false, waiting: [CheckedContinuation<Void, Never>]()))

    init() throws(QueueError) { wakeUp = try WakeUp() }

    var shouldClose: Bool { isClosing.load(ordering: .acquiring) }

    /// Tells the thread to end.
    func close() {
        isClosing.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    /// The thread's last act.
    func reportEnd() {
        let waiting = ending.withLock { state in
            state.hasEnded = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits for the thread's last act.
    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = ending.withLock { state in
                if !state.hasEnded { state.waiting.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}
