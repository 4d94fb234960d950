import Synchronization

/// What waits for the orchestrator's next turn.
///
/// One turn takes everything that is there, so that one synced transaction covers many messages: under load the disk is
/// asked less often per message, and a quiet run still answers at once.
final class Mailbox<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var isClosed = false
    }

    /// Items beyond this wait outside: the sender's queue fills, then its socket's, then the peer's.
    private let capacity: Int
    private let state = Mutex(State())
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    init(capacity: Int) {
        self.capacity = capacity
        (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds an item; waits while the box is full.
    func put(_ item: Item) async {
        while !Task.isCancelled {
            let taken = state.withLock { state in
                guard state.items.count < capacity else { return state.isClosed }
                state.items.append(item)
                return true
            }
            if taken {
                ring.yield()
                return
            }
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Adds an item at once, whatever the capacity: for the few things that must not wait.
    func putNow(_ item: Item) {
        state.withLock { $0.items.append(item) }
        ring.yield()
    }

    /// Ends ``turns``; what is still in the box is handed out first.
    func close() {
        state.withLock { $0.isClosed = true }
        ring.finish()
    }

    /// Whether nothing more will be taken.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Takes everything that is there.
    func takeAll() -> [Item] {
        state.withLock { state in
            let items = state.items
            state.items.removeAll(keepingCapacity: true)
            return items
        }
    }

    /// Rings whenever there is something to take.
    var turns: AsyncStream<Void> { bell }
}
