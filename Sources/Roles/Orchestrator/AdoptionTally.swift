import Messages

/// How workers went over to new versions since the last row of `metrics.jsonl`, as they say.
struct AdoptionTally {
    private var count = 0.0
    private var revised = 0.0
    private var fetchSeconds = 0.0
    private var applySeconds = 0.0
    private var longestPause = 0.0

    /// Counts what a worker tells; numbers that no machine can mean are left out.
    mutating func add(_ told: Wire.Adoption) {
        let numbers = [told.fetchSeconds, told.applySeconds, told.pauseSeconds]
        guard numbers.allSatisfy({ $0 >= 0 && $0 < 86_400 }) else { return }
        count += 1
        if told.revised { revised += 1 }
        fetchSeconds += told.fetchSeconds
        applySeconds += told.applySeconds
        longestPause = max(longestPause, told.pauseSeconds)
    }

    /// The numbers of a row, by name; none where nobody took in a version.
    var values: [(String, Double)] {
        guard count > 0 else { return [] }
        return [
            ("weights/adopted", count), ("weights/adopted_in_memory", revised),
            ("weights/fetch_seconds", fetchSeconds / count), ("weights/apply_seconds", applySeconds / count),
            ("weights/pause_seconds_max", longestPause),
        ]
    }
}
