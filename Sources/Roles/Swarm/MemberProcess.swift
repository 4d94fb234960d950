/// One process of a run on this machine: what to start, and what its end means.
public struct MemberProcess: Sendable, Hashable {
    /// What its end means for the run.
    public enum Ending: Sendable, Hashable {
        /// A clean end is a drained member's; after any other it is started again.
        case restart
        /// A clean exit of this one ends the run.
        case finishesRun
        /// It may be sent away for good (exit code 69), which the run survives.
        case mayLeave
    }

    /// The name in logs, keys and screens, for example `worker-1`.
    public let name: String
    /// The executable, a sibling of `apus`.
    public let executable: String
    /// Its arguments.
    public let arguments: [String]
    /// What its end means.
    public let ending: Ending

    /// Describes a process.
    public init(name: String, executable: String, arguments: [String], ending: Ending = .restart) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.ending = ending
    }

    /// The same process, saying so much.
    func logging(at level: String) -> MemberProcess {
        MemberProcess(
            name: name, executable: executable, arguments: arguments + ["--log-level", level], ending: ending)
    }
}

/// When a process that died may start again: at once the first time, then ever later, and not at all once it has died
/// too often without having lived.
struct RestartPolicy: Sendable {
    /// Deaths in quick succession that are tolerated.
    static let tolerated = 6
    /// A life of this many seconds clears the record.
    static let healthySeconds = 10.0

    private var quickDeaths = 0

    /// The delay in seconds before the next start, or nil to give up.
    mutating func delay(afterLifeOf seconds: Double) -> Double? {
        if seconds >= Self.healthySeconds { quickDeaths = 0 }
        quickDeaths += 1
        guard quickDeaths <= Self.tolerated else { return nil }
        return quickDeaths == 1 ? 0 : min(5, 0.25 * Double(1 << (quickDeaths - 2)))
    }
}
