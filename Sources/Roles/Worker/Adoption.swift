/// What it took to go over to a version of the weights.
struct Adoption: Sendable {
    let version: UInt64
    /// Whether weights in memory were changed into it, instead of being read from its files.
    let isRevised: Bool
    /// Fetching the differences; 0 where files were read.
    let fetchSeconds: Double
    /// From the beginning of loading until the weights could be computed with, beside generation.
    let applySeconds: Double
    /// How long generation stood still between two steps because of it.
    var pauseSeconds: Double

    /// For a line of a log: `v12 in memory: fetched 0.08 s, applied 0.31 s, pause 0.4 ms`.
    var sentence: String {
        func short(_ number: Double, _ scale: Double = 1) -> String { "\((number * scale * 100).rounded() / 100)" }
        let fetched = isRevised ? "in memory: fetched \(short(fetchSeconds)) s, " : "from files: "
        return "v\(version) \(fetched)applied \(short(applySeconds)) s, pause \(short(pauseSeconds, 1000)) ms"
    }
}

/// Measures how long generation stands still while versions are taken in: from the end of one step to the beginning of the
/// next.
struct PauseMeter: Sendable {
    /// What was measured last.
    private(set) var newest: Adoption?
    private var adopted: Adoption?
    private var idleSince: ContinuousClock.Instant?
    /// Since when somebody waits for a step, or for a version.
    private var waitingSince: ContinuousClock.Instant?

    /// A group came for which nothing can be computed yet.
    mutating func beginWaiting(_ now: ContinuousClock.Instant) {
        if waitingSince == nil { waitingSince = now }
    }

    /// Steps ended.
    ///
    /// - Parameter isDone: whether there is nothing more to compute, and nobody waits for a version.
    mutating func endSteps(_ now: ContinuousClock.Instant, isDone: Bool) {
        idleSince = now
        waitingSince = isDone ? nil : now
    }

    /// A version was taken in; `pauseSeconds` is what that took itself.
    mutating func adopt(_ adoption: Adoption) {
        // Whoever was not followed by a step kept nobody waiting.
        if let adopted { newest = adopted }
        adopted = adoption
    }

    /// Steps begin.
    ///
    /// - Returns: The version that was taken in since the last one.
    mutating func beginSteps(_ now: ContinuousClock.Instant) -> Adoption? {
        guard var done = adopted else { return nil }
        if let waitingSince {
            let since = idleSince.map { max($0, waitingSince) } ?? now
            done.pauseSeconds = max(done.pauseSeconds, since.duration(to: now) / .seconds(1))
        }
        adopted = nil
        newest = done
        return done
    }
}
