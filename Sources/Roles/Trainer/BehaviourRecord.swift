import Foundation
import Logging
import Messages

/// Log-probabilities that the trainer computed itself, on the disk until a STABLE checkpoint covers their step.
///
/// A step that is made again after a crash needs them again, when the origin may not keep the version any more.
struct BehaviourRecord: Sendable {
    /// Where the files lie, one for each step.
    let folder: String
    let log: Logger

    /// The completed groups of a step, by their hash; none where nothing was kept.
    func groups(ofStep step: UInt64) -> [Data: Wire.TrainingGroup] {
        guard let bytes = FileManager.default.contents(atPath: path(step)),
            let batch = try? Wire.Batch(serializedBytes: bytes), batch.step == step
        else { return [:] }
        return Dictionary(batch.groups.map { ($0.groupHash, $0) }) { first, _ in first }
    }

    /// Keeps completed groups; a full disk costs the copy, not the step.
    func keep(_ groups: [Wire.TrainingGroup], ofStep step: UInt64) {
        var batch = Wire.Batch()
        batch.step = step
        batch.groups = groups
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try batch.serializedData().write(to: URL(fileURLWithPath: path(step)), options: .atomic)
        } catch {
            log.warning("log-probabilities of step \(step) not kept", metadata: ["reason": "\(error)"])
        }
    }

    /// Removes the files of these steps and earlier ones.
    func forget(through step: UInt64) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let number = UInt64(name), number <= step else { continue }
            try? FileManager.default.removeItem(atPath: path(number))
        }
    }

    private func path(_ step: UInt64) -> String { folder + "/\(step)" }
}
