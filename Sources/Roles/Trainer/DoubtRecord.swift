import Foundation
import Logging
import Messages
import Safetensors

/// What the trainer left out of its steps, on the disk until the orchestrator has acknowledged that it was told.
///
/// A checkpoint covers a step, not what was said about it: without this, a trainer and an orchestrator that both die
/// around a checkpoint would forget that a group was found forged.
struct DoubtRecord: Sendable {
    /// Where the files lie, one for each step that left something out.
    let folder: String
    let log: Logger

    private static let ending = ".doubts"

    /// Keeps what a step left out; synced, so that it is there after a power cut whenever the step's checkpoint is.
    ///
    /// - Throws: What the disk says: a step whose doubts cannot be kept is not to be covered by a checkpoint.
    func keep(_ completed: UnreplayedGroups.Completed, ofStep step: UInt64) throws {
        guard completed.isIncomplete else { return forget(step) }
        var done = Wire.BatchDone()
        done.step = step
        done.doubtedGroups = completed.doubted
        done.unavailableGroups = completed.unavailable
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try DurableFile.write([UInt8](try done.serializedData()), to: path(step))
    }

    /// What was left out of steps, oldest first, as far as it is not acknowledged.
    ///
    /// - Parameter step: The last step that was made; a later one is made again, and told then.
    func unacknowledged(through step: UInt64) -> [(step: UInt64, completed: UnreplayedGroups.Completed)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let steps = names.filter { $0.hasSuffix(Self.ending) }.compactMap { UInt64($0.dropLast(Self.ending.count)) }
        return steps.sorted().compactMap { number in
            guard number <= step else {
                forget(number)
                return nil
            }
            guard let bytes = FileManager.default.contents(atPath: path(number)),
                let done = try? Wire.BatchDone(serializedBytes: bytes), done.step == number
            else {
                log.warning("what step \(number) left out cannot be read, and is not told again")
                return nil
            }
            return (
                number,
                UnreplayedGroups.Completed(
                    groups: [], doubted: done.doubtedGroups, unavailable: done.unavailableGroups)
            )
        }
    }

    /// Removes what a step left out: it is acknowledged.
    func forget(_ step: UInt64) { try? FileManager.default.removeItem(atPath: path(step)) }

    private func path(_ step: UInt64) -> String { folder + "/\(step)" + Self.ending }
}

extension UnreplayedGroups.Completed {
    /// Whether something was left out.
    var isIncomplete: Bool { !doubted.isEmpty || !unavailable.isEmpty }
}
