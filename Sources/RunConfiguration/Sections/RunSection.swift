/// `[run]`: what the run is called and where it lives.
public struct RunSection: ConfigurationSection {
    /// For people, file names and join addresses.
    public var name = "run"
    /// Everything the run writes is below it; `runs/NAME` if empty.
    public var directory = ""
    /// Every random choice of the lab follows from it.
    public var seed: UInt64 = 0

    /// The defaults.
    public init() {}

    /// Where the run lives: the directory of the file, or `runs/NAME`.
    public var resolvedDirectory: String { directory.isEmpty ? "runs/\(name)" : directory }

    /// The keys of the section.
    public static let fields: [ConfigurationField<RunSection>] = [
        .text("name", \.name, "Name of the run: for people, file names and join addresses."),
        .text("directory", \.directory, "Everything the run writes is below it; runs/NAME if empty."),
        .seed("seed", \.seed, "Every random choice of the lab follows from it."),
    ]
}
