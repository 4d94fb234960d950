import Logging
import Orchestration
import Verification

/// Tries again before a version counts as one that cannot be had.
///
/// What a batch lacks, its step lacks for ever, and every group of it is looked at as if its worker had failed. So a relay
/// that restarts must cost time and not groups, as long as the origin has the version.
struct PatientSource: BehaviourSource {
    /// Pauses between two attempts.
    static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16)]

    private let source: any BehaviourSource
    private let isPublished: @Sendable (PolicyVersion) -> Bool
    private let sleep: @Sendable (Duration) async throws -> Void
    private let log: Logger

    /// - Parameters:
    ///   - source: What replays groups.
    ///   - isPublished: Whether the origin still has a version; what it has removed does not come back.
    init(
        _ source: any BehaviourSource, log: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        isPublished: @escaping @Sendable (PolicyVersion) -> Bool
    ) {
        self.source = source
        self.isPublished = isPublished
        self.sleep = sleep
        self.log = log
    }

    func replay(
        _ requests: [ReplayRequest], under version: PolicyVersion
    ) async throws -> [Result<ReplayResult, ReplayDesk.Fault>] {
        for pause in Self.pauses {
            do {
                return try await source.replay(requests, under: version)
            } catch let error where !(error is CancellationError) && isPublished(version) {
                log.warning(
                    "version \(version.number) not fetched; trying again in \(pause)", metadata: ["reason": "\(error)"])
                try await sleep(pause)
            }
        }
        return try await source.replay(requests, under: version)
    }
}
