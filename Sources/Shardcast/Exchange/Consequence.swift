extension ShardcastError {
    /// What an error from one upstream means for asking on.
    enum Consequence: Int, Comparable {
        /// This machine's fault: asking elsewhere does not help.
        case here
        /// This upstream will not deliver it.
        case final
        /// May be bad luck once; not three times.
        case suspicious
        /// Passes by itself, perhaps.
        case passing

        static func < (left: Consequence, right: Consequence) -> Bool { left.rawValue < right.rawValue }
    }

    var consequence: Consequence {
        switch kind {
        case .storage, .noSpace, .shutDown, .invalidConfiguration, .directoryInUse, .portInUse, .corruptFile,
            .corruptDelta:
            .here
        case .wrongKey, .anotherRun, .unsupportedSchema, .malformedManifest, .conflictingManifest, .expired,
            .wentBackwards, .versionTaken, .unauthorized:
            .final
        case .corruptShard, .truncatedShard, .oversizedShard: .suspicious
        case .unreachable, .refused, .timedOut, .versionMissing: .passing
        }
    }
}
