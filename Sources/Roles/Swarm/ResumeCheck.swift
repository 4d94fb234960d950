import Foundation
import RunConfiguration

/// Whether a run may go on with a run file: groups in flight are judged by what they were leased under.
///
/// A lease outlives a restart, and its group is compared with the run's settings when it comes. Under other prompts, sampling or
/// rules, honest work would count as forged, and cost strikes and stake.
struct ResumeCheck {
    private let directory: RunDirectory

    init(_ directory: RunDirectory) {
        self.directory = directory
    }

    /// Compares with what the run began with, and takes over its day where none is set.
    ///
    /// - Throws: A ``RoleFailure`` that names the settings that must stay.
    func prepare(_ file: inout RunFile) throws {
        let earlier = try RunFile.load(files: [directory.runFile])
        if file.run.date.isEmpty { file.run.date = earlier.run.date }
        let changed = Self.conflicts(file, earlier)
        guard !changed.isEmpty else { return }
        let (names, verb) = (changed.joined(separator: ", "), changed.count == 1 ? "differs" : "differ")
        throw RoleFailure(
            .usage,
            "\(names) \(verb) from what the run in \(directory.root) began with. Its workers' groups in flight would be judged by other "
                + "settings than they were made under, and count as forged.",
            advice: "Go on by `apus up @ \(directory.runFile) --resume`, or begin another run from its weights: "
                + "--model.path \(directory.model) --run.directory OTHER.")
    }

    /// The keys that decide how a leased group is judged, and that are not as they were.
    static func conflicts(_ file: RunFile, _ earlier: RunFile) -> [String] {
        let bounds = ["environment.long_prompts", "environment.max_prompt_tokens"]
        // Where no prompt was too long, none changes by a higher limit, or by leaving out what is longer.
        let isRelaxed = earlier.environment.longPrompts == .refuse && limit(file) >= limit(earlier)
        return file.differences(from: earlier).filter { key in
            if bounds.contains(key) { return !isRelaxed }
            return key == "audit.policy" || key == "run.date"
                || ["environment", "sampling", "model"].contains { key == $0 || key.hasPrefix($0 + ".") }
        }
    }

    private static func limit(_ file: RunFile) -> Int {
        file.environment.maxPromptTokens > 0 ? file.environment.maxPromptTokens : .max
    }
}
