import Synchronization

/// Remembers where the version before the newest one lies.
final class PreviousDirectory: Sendable {
    private let state = Mutex<(number: UInt64, newest: String?, previous: String?)>((0, nil, nil))

    /// Notes a version's directory and gives the directory of the one before, if there was one.
    func exchange(_ number: UInt64, _ directory: String) -> String? {
        state.withLock { state in
            if state.newest == nil || number > state.number {
                state = (number, directory, state.newest)
            }
            return state.previous
        }
    }
}
