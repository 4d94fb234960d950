import Synchronization

/// Messages on their way from a socket's thread to the program: a bounded `AsyncSequence`.
///
/// When it is full the socket stops reading, so that the sender feels it (TCP's own back pressure) and memory does
/// not grow. Any number of tasks may iterate; each message goes to one of them. It ends when the socket is closed
/// and everything received before has been taken.
public final class Inbox<Element: Sendable>: AsyncSequence, Sendable {
    private struct State {
        var queue = FirstInFirstOut<(element: Element, weight: Int)>()
        var weight = 0
        var isFinished = false
        /// The socket stopped reading and wants to know when there is room.
        var isHeldUp = false
        var waiting = FirstInFirstOut<(id: UInt64, continuation: CheckedContinuation<Element?, Never>)>()
        var cancelled: Set<UInt64> = []
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let maximumCount: Int
    private let maximumWeight: Int
    private let onRoom: @Sendable () -> Void

    init(maximumCount: Int, maximumWeight: Int, onRoom: @escaping @Sendable () -> Void) {
        self.maximumCount = maximumCount
        self.maximumWeight = maximumWeight
        self.onRoom = onRoom
    }

    /// Messages that wait to be taken.
    public var count: Int { state.withLock { $0.queue.count } }

    /// Says whether one more message fits; if not, `onRoom` is called as soon as one does.
    func hasRoom() -> Bool {
        state.withLock { state in
            let isFull = state.queue.count >= maximumCount || state.weight >= maximumWeight
            state.isHeldUp = isFull
            return !isFull
        }
    }

    /// Adds one message; the caller has asked ``hasRoom()``.
    func put(_ element: Element, weight: Int) {
        let receiver = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            if let receiver = Self.firstWaiting(&state) { return receiver }
            state.queue.append((element, weight))
            state.weight += weight
            return nil
        }
        receiver?.resume(returning: element)
    }

    /// Ends the sequence after what is in it.
    func finish() {
        let receivers = state.withLock { state in
            state.isFinished = true
            var receivers: [CheckedContinuation<Element?, Never>] = []
            while let receiver = Self.firstWaiting(&state) { receivers.append(receiver) }
            return receivers
        }
        for receiver in receivers { receiver.resume(returning: nil) }
    }

    /// Takes the oldest message, waiting for one; nil at the end and when the task is cancelled.
    public func next() async -> Element? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let element = await withTaskCancellationHandler {
            await withCheckedContinuation { take(id, $0) }
        } onCancel: {
            cancel(id)
        }
        // A cancellation that came too late has left its mark behind.
        if Task.isCancelled { _ = state.withLock { $0.cancelled.remove(id) } }
        return element
    }

    private func take(_ id: UInt64, _ continuation: CheckedContinuation<Element?, Never>) {
        let (answer, gaveRoom) = state.withLock { state -> (Element??, Bool) in
            if state.cancelled.remove(id) != nil { return (.some(nil), false) }
            if let (element, weight) = state.queue.popFirst() {
                state.weight -= weight
                let isHalfEmpty = state.queue.count <= maximumCount / 2 && state.weight <= maximumWeight / 2
                let gaveRoom = state.isHeldUp && isHalfEmpty
                if gaveRoom { state.isHeldUp = false }
                return (element, gaveRoom)
            }
            if state.isFinished { return (.some(nil), false) }
            state.waiting.append((id, continuation))
            return (nil, false)
        }
        if gaveRoom { onRoom() }
        if let answer { continuation.resume(returning: answer) }
    }

    private func cancel(_ id: UInt64) {
        let receiver = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            var kept = FirstInFirstOut<(id: UInt64, continuation: CheckedContinuation<Element?, Never>)>()
            var found: CheckedContinuation<Element?, Never>?
            while let entry = state.waiting.popFirst() {
                if entry.id == id { found = entry.continuation } else { kept.append(entry) }
            }
            state.waiting = kept
            // Cancelled before it began to wait: `next` finds the mark.
            if found == nil { state.cancelled.insert(id) }
            return found
        }
        receiver?.resume(returning: nil)
    }

    private static func firstWaiting(_ state: inout State) -> CheckedContinuation<Element?, Never>? {
        state.waiting.popFirst()?.continuation
    }

    /// Iterates; all iterators share the same messages.
    public func makeAsyncIterator() -> Iterator { Iterator(inbox: self) }

    /// Takes messages one after another.
    public struct Iterator: AsyncIteratorProtocol {
        let inbox: Inbox

        /// The next message, or nil at the end.
        public mutating func next() async -> Element? { await inbox.next() }
    }
}
