import Foundation
import Identity
import Orchestration
import RunConfiguration
import Shardcast

/// Puts the trainer's weights into the origin directory.
struct Publisher: Sendable {
    private let origin: OriginDirectory
    private let draftPath: String
    private let startModel: String
    private let settings: WeightsSection
    private let maxStaleness: UInt64

    init(directory: RunDirectory, run: Hash256, key: SigningKey, file: RunFile) throws {
        origin = try OriginDirectory(path: directory.origin, run: run, key: key)
        draftPath = directory.root + "/trainer-draft"
        startModel = directory.startModel
        settings = file.weights
        maxStaleness = UInt64(file.training.maxStaleness)
    }

    /// Publishes the current weights, or finds them published already.
    ///
    /// A number is never used for other weights. Redoing steps after a crash gives the same weights on the same machine,
    /// and then the same version; were they to differ, they would get the next free number.
    ///
    /// - Parameter inUse: the versions that something may still be replayed with; without it, none is removed.
    /// - Returns: The version, and what a member that has the one before must fetch; nothing where it was there already.
    func publish(
        _ desk: TrainingDesk, inUse: Set<UInt64>? = nil
    ) async throws -> (version: PolicyVersion, published: PublishedVersion?) {
        let draft = try await desk.draft()
        let base = try draft.baseHash.map(publishedBase)
        for number in origin.versions.reversed() {
            if let manifest = try origin.manifest(number), manifest.step == draft.step,
                manifest.weightsHash == draft.weightsHash
            {
                return (PolicyVersion(number: number, weightsHash: draft.weightsHash, step: draft.step), nil)
            }
        }
        let number = origin.highestVersion.map { max($0 + 1, draft.step) } ?? draft.step
        try? FileManager.default.removeItem(atPath: draftPath)
        try await desk.write(to: draftPath)
        var published: PublishedVersion?
        if let base {
            try origin.publish(
                adapterDirectory: draftPath, of: base, version: number, step: draft.step,
                weightsHash: draft.weightsHash)
        } else {
            published = try origin.publish(
                modelDirectory: draftPath, version: number, step: draft.step, weightsHash: draft.weightsHash,
                anchors: AnchorPolicy(interval: settings.anchorInterval), taking: true)
        }
        if let inUse {
            // The next batch takes no version that is more than this behind, so none is leased any more.
            try origin.prune(
                VersionsInUse(
                    newest: settings.keepVersions, oldestLeased: number > maxStaleness ? number - maxStaleness : 0,
                    named: inUse))
        }
        return (PolicyVersion(number: number, weightsHash: draft.weightsHash, step: draft.step), published)
    }

    /// Whether a version can still be fetched from here.
    func has(_ version: PolicyVersion) -> Bool { origin.versions.contains(version.number) }

    /// The full version that adapters belong to: the model that the run started from, published first of all.
    private func publishedBase(_ hash: Hash256) throws -> BaseVersion {
        for number in origin.versions {
            if let manifest = try origin.manifest(number), manifest.kind == .full, manifest.weightsHash == hash {
                return BaseVersion(version: number, weightsHash: hash)
            }
        }
        let number = origin.highestVersion.map { $0 + 1 } ?? 0
        try origin.publish(modelDirectory: startModel, version: number, step: 0, weightsHash: hash)
        return BaseVersion(version: number, weightsHash: hash)
    }
}
