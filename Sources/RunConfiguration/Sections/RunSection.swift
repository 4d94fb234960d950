/// `[run]`: what the run is called and where it lives.
public struct RunSection: ConfigurationSection {
    /// For people, file names and join addresses.
    public var name = "run"
    /// Everything the run writes is below it; `runs/NAME` if empty.
    public var directory = ""
    /// Every random choice of the lab follows from it.
    public var seed: UInt64 = 0

    /// The day that chat templates take for today, YYYY-MM-DD; empty until the run begins.
    public var date = ""

    /// The defaults.
    public init() {}

    /// Year, month and day of ``date``; nil where it is empty or no date.
    public var day: (year: Int, month: Int, day: Int)? {
        let parts = date.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2])
        else { return nil }
        return (year, month, day)
    }

    /// Where the run lives: the directory of the file, or `runs/NAME`.
    public var resolvedDirectory: String { directory.isEmpty ? "runs/\(name)" : directory }

    /// The keys of the section.
    public static let fields: [ConfigurationField<RunSection>] = [
        .text("name", \.name, "Name of the run: for people, file names and join addresses."),
        .text("directory", \.directory, "Everything the run writes is below it; runs/NAME if empty."),
        .text(
            "date", \.date, "The day that chat templates take for today, YYYY-MM-DD; the first day of the run if empty."
        ),
        .seed("seed", \.seed, "Every random choice of the lab follows from it."),
    ]
}
