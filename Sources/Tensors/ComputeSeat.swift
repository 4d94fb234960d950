import Glibc

/// Which pool's thread the current thread is, so that a nested call is recognised instead of waiting for itself.
///
/// Seats live on the stack of the thread that they describe and form a chain: a task of one pool may use another.
struct ComputeSeat {
    private let team: ObjectIdentifier
    private let index: Int
    private let outer: UnsafeRawPointer?

    /// The index of the current thread in `team`, or nil when it is not working for it.
    static func index(in team: ComputeTeam) -> Int? {
        var seat = pthread_getspecific(key).map { UnsafeRawPointer($0) }
        while let current = seat?.assumingMemoryBound(to: ComputeSeat.self).pointee {
            if current.team == ObjectIdentifier(team) { return current.index }
            seat = current.outer
        }
        return nil
    }

    /// Runs `body` with the current thread seated at `index` of `team`.
    static func occupy(_ index: Int, of team: ComputeTeam, _ body: () -> Void) {
        let outer = pthread_getspecific(key)
        let seat = ComputeSeat(team: ObjectIdentifier(team), index: index, outer: outer.map { UnsafeRawPointer($0) })
        withUnsafePointer(to: seat) { seat in
            pthread_setspecific(key, seat)
            body()
            pthread_setspecific(key, outer)
        }
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let status = pthread_key_create(&key, nil)
        precondition(status == 0, "the system has no thread-local key left")
        return key
    }()
}
