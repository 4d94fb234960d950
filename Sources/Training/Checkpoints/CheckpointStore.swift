import Foundation
import Transformer

/// The checkpoints of a run: `checkpoints/step_000100` and its siblings.
public struct CheckpointStore: Sendable {
    /// The folder that holds the checkpoints.
    public let directory: String
    /// How many finished checkpoints stay; older ones are removed after a new one is finished.
    public let keepLast: Int
    /// What is written beside every state, so that other programs open it; nil for the state alone.
    public let companions: ModelCompanions?

    /// The checkpoints under a folder, which is made when first needed.
    public init(directory: String, keepLast: Int = 2, companions: ModelCompanions? = nil) {
        self.directory = directory
        self.companions = companions
        self.keepLast = max(1, keepLast)
    }

    /// The newest usable checkpoint, and what was passed over.
    public struct Newest {
        /// The loaded state, or nil when no checkpoint is usable.
        public var state: TrainingState?
        /// What was saved beside the state.
        public var notes: [String: String]
        /// One sentence for each newer folder that could not be used.
        public var ignored: [String]
    }

    /// Saves a state under its step and removes what is too old.
    ///
    /// - Returns: the checkpoint's folder.
    /// - Throws: errors of the file system; an unfinished folder is then ignored by ``loadNewest(configuration:)``.
    @discardableResult
    public func save(_ state: any TrainedState, notes: [String: String] = [:]) throws -> String {
        let path = folder(ofStep: state.step)
        try Checkpoint.write(state, notes: notes, companions: companions, to: path)
        for step in try steps().sorted(by: >).filter({ isStable($0) }).dropFirst(keepLast) {
            try remove(step)
        }
        return path
    }

    /// Loads the newest checkpoint that is finished and intact; older ones only where newer ones are not.
    ///
    /// - Throws: errors of reading the folder itself.
    public func loadNewest(configuration: ModelConfiguration) throws -> Newest {
        let state = TrainingState(master: MasterWeights(configuration))
        let (notes, ignored) = try loadNewest(into: state)
        return Newest(state: notes == nil ? nil : state, notes: notes ?? [:], ignored: ignored)
    }

    /// Loads the newest checkpoint that is finished, intact and of this state's shape.
    ///
    /// - Returns: what was saved beside the state, nil when no checkpoint is usable and the state is as it was; and one
    ///   sentence for each newer folder that could not be used.
    /// - Throws: errors of reading the folder itself.
    public func loadNewest(into state: any TrainedState) throws -> (notes: [String: String]?, ignored: [String]) {
        var ignored: [String] = []
        for step in try steps().sorted(by: >) {
            let path = folder(ofStep: step)
            do {
                let notes = try Checkpoint.read(path, ofStep: step, into: state)
                return (notes, ignored)
            } catch let error as CheckpointError {
                ignored.append("\(error)")
            } catch {
                ignored.append("\(CheckpointError(folder: path, what: "\(error)"))")
            }
        }
        return (nil, ignored)
    }

    /// The folder of a step's checkpoint.
    public func folder(ofStep step: Int) -> String {
        let digits = String(step)
        return "\(directory)/step_\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)"
    }

    private func steps() throws -> [Int] {
        guard FileManager.default.fileExists(atPath: directory) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: directory).compactMap { name in
            guard name.hasPrefix("step_"), let step = Int(name.dropFirst(5)), step >= 0,
                folder(ofStep: step) == "\(directory)/\(name)"
            else { return nil }
            return step
        }
    }

    private func isStable(_ step: Int) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder(ofStep: step))/\(Checkpoint.stableFile)")
    }

    /// `STABLE` goes first, so that a crash in the middle leaves an unfinished folder and not a broken finished one.
    private func remove(_ step: Int) throws {
        try FileManager.default.removeItem(atPath: "\(folder(ofStep: step))/\(Checkpoint.stableFile)")
        try FileManager.default.removeItem(atPath: folder(ofStep: step))
    }
}
