import Messages

extension Wire.BatchDone {
    /// What a step came to, in as many messages as the groups that were left out need.
    ///
    /// The first one has the metrics. Receivers take any number of messages about a step.
    ///
    /// - Parameter limit: Items that a list of a message may hold.
    static func parts(
        step: UInt64, metrics: [Wire.Metric], _ completed: UnreplayedGroups.Completed,
        limit: Int = Limits.standard.items
    ) -> [Wire.BatchDone] {
        var (doubted, unavailable) = (completed.doubted[...], completed.unavailable[...])
        var parts: [Wire.BatchDone] = []
        repeat {
            var part = Wire.BatchDone()
            part.step = step
            if parts.isEmpty { part.metrics = metrics }
            part.doubtedGroups = Array(doubted.prefix(limit))
            part.unavailableGroups = Array(unavailable.prefix(limit))
            doubted = doubted.dropFirst(limit)
            unavailable = unavailable.dropFirst(limit)
            parts.append(part)
        } while !doubted.isEmpty || !unavailable.isEmpty
        return parts
    }
}
