/// A fixed team of threads for kernels: claims tasks dynamically, spins briefly, then parks.
///
/// Each thread begins with its own stretch of neighbouring tasks and then takes over what the others have not begun.
/// The caller works too, as thread 0. Every thread computes in the canonical floating-point environment. Calls from
/// inside a task run inline on that thread; calls from several threads at once take turns (so two pools must not call
/// each other in a circle). Which thread runs a task
/// never changes a result, because no kernel depends on it.
public final class ComputePool: Sendable {
    /// The number of threads, the caller included.
    public let threads: Int

    private let team: ComputeTeam

    /// A pool of `threads` threads; 1 means that everything runs on the caller.
    public init(threads: Int) {
        precondition(threads >= 1, "a pool needs at least one thread, not \(threads)")
        self.threads = threads
        team = ComputeTeam(threads: threads)
        for index in 1..<max(threads, 1) {
            team.start(index)
        }
    }

    deinit {
        team.stop()
    }

    /// Runs `body(task, thread)` for every task in `0 ..< tasks` and returns when all are done.
    ///
    /// `thread` is below `threads`, and no two bodies run under the same one at the same time: use it to pick scratch
    /// memory. `body` runs on several threads at once and must only touch what its task owns.
    public func run(_ tasks: Int, _ body: (_ task: Int, _ thread: Int) -> Void) {
        guard tasks > 0 else { return }
        CanonicalEnvironment.run {
            if let nested = ComputeSeat.index(in: team) {
                for task in 0..<tasks { body(task, nested) }
            } else if tasks == 1 || threads == 1 {
                team.takeTurn { for task in 0..<tasks { body(task, 0) } }
            } else {
                withoutActuallyEscaping(body) { body in
                    team.takeTurn { team.share(tasks, body) }
                }
            }
        }
    }
}
