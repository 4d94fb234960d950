/// The objectives that a run file can name.
public enum Objectives {
    /// Every name that ``named(_:settings:)`` accepts, in the order in which help texts list them.
    public static let names = [TwoSidedClip.name, ProbabilityDifferenceMask.name]

    /// The objective with this name and these settings; a setting that is absent keeps its default.
    ///
    /// - Throws: ``ObjectiveError`` for an unknown name or setting, or a number out of range.
    public static func named(
        _ name: String, settings: [String: Double] = [:]
    ) throws(ObjectiveError) -> any Objective {
        var remaining = settings
        let objective: any Objective
        switch name {
        case TwoSidedClip.name:
            var clip = TwoSidedClip()
            clip.low = try take("low", from: &remaining, default: clip.low, within: 0...1)
            clip.high = try take("high", from: &remaining, default: clip.high, within: 0...10)
            clip.ratioCap = try take("ratio_cap", from: &remaining, default: clip.ratioCap, within: 1...1000)
            objective = clip
        case ProbabilityDifferenceMask.name:
            var mask = ProbabilityDifferenceMask()
            mask.low = try take("low", from: &remaining, default: mask.low, within: 0...1)
            mask.high = try take("high", from: &remaining, default: mask.high, within: 0...1)
            mask.kl = try take("kl", from: &remaining, default: mask.kl, within: 0...1000)
            objective = mask
        default:
            throw .unknownName(name, known: names)
        }
        if let unknown = remaining.keys.min() { throw .unknownSetting(unknown, objective: name) }
        return objective
    }

    private static func take(
        _ key: String, from settings: inout [String: Double], default value: Double, within range: ClosedRange<Double>
    ) throws(ObjectiveError) -> Double {
        guard let given = settings.removeValue(forKey: key) else { return value }
        guard range.contains(given) else { throw .outOfRange(key, given, range) }
        return given
    }
}

/// Why an objective could not be made from a run file.
public enum ObjectiveError: Error, CustomStringConvertible, Sendable, Equatable {
    /// No objective has this name.
    case unknownName(String, known: [String])
    /// The objective has no such setting.
    case unknownSetting(String, objective: String)
    /// A setting is outside of the range in which the objective means anything.
    case outOfRange(String, Double, ClosedRange<Double>)

    /// One sentence: what is wrong, and what to write instead.
    public var description: String {
        switch self {
        case .unknownName(let name, let known):
            "training.objective \"\(name)\" is not known; use one of \(known.joined(separator: ", "))"
        case .unknownSetting(let key, let objective):
            "objective \"\(objective)\" has no setting \"\(key)\"; remove it from the run file"
        case .outOfRange(let key, let value, let range):
            "\(key) = \(value) is out of range; choose a number from \(range.lowerBound) to \(range.upperBound)"
        }
    }
}
