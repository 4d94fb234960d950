/// The command line of everything that takes a run file, taken apart:
/// `@ run.toml @ more.toml --section.key value --flag`.
///
/// A pure function of the arguments. An option with a dot in its name is an override of the run file; everything else
/// is left, in order, for the command's own flags.
public struct RunArguments: Sendable, Equatable {
    /// The run files, lowest layer first.
    public var files: [String] = []
    /// The overrides, in the order in which they were given.
    public var overrides: [ConfigurationOverride] = []
    /// What the command itself has to interpret.
    public var remaining: [String] = []

    /// Takes arguments apart (without the name of the program).
    ///
    /// After `--` everything is left to the command.
    public init(parsing arguments: [String]) throws(ConfigurationError) {
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument == "--" {
                remaining += arguments[index...]
                return
            } else if argument == "@" {
                guard index < arguments.count, !arguments[index].hasPrefix("--") else {
                    throw ConfigurationError("@", "a file name is missing after @; write @ run.toml")
                }
                files.append(arguments[index])
                index += 1
            } else if argument.hasPrefix("@") {
                files.append(String(argument.dropFirst()))
            } else if let name = Self.overrideName(argument) {
                let value: String
                if let equals = argument.firstIndex(of: "=") {
                    value = String(argument[argument.index(after: equals)...])
                } else if index < arguments.count, Self.isValue(arguments[index]) {
                    value = arguments[index]
                    index += 1
                } else {
                    value = "true"
                }
                overrides.append(try ConfigurationOverride(name: name, value: value))
            } else {
                remaining.append(argument)
            }
        }
    }

    /// The name in `--section.key` or `--section.key=value`; nil if the argument is no override.
    private static func overrideName(_ argument: String) -> String? {
        guard argument.hasPrefix("--") else { return nil }
        let name = argument.dropFirst(2).prefix { $0 != "=" }
        return name.contains(".") ? String(name) : nil
    }

    /// A value may start with one dash (a negative number), not with two, and is no run file.
    private static func isValue(_ argument: String) -> Bool { !argument.hasPrefix("--") && !argument.hasPrefix("@") }
}
