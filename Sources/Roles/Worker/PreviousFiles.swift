import Synchronization

/// Remembers where the version before the newest one lies.
final class PreviousFiles: Sendable {
    private let state = Mutex<(number: UInt64, newest: PolicyFiles?, previous: PolicyFiles?)>((0, nil, nil))

    /// Notes a version's files and gives those of the one before, if there was one.
    func exchange(_ number: UInt64, _ files: PolicyFiles) -> PolicyFiles? {
        state.withLock { state in
            if state.newest == nil || number > state.number {
                state = (number, files, state.newest)
            }
            return state.previous
        }
    }
}
