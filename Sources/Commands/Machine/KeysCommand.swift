import ArgumentParser
import Identity

/// `apus keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make a key file, or show its public part.", subcommands: [New.self, Show.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an Ed25519 and a CURVE key pair in one file that only you can read.")

        @Option(help: ArgumentHelp("A file that does not exist yet.", valueName: "file"))
        var out: String

        func run() async throws {
            let keys = NodeKeys()
            try keys.save(path: out)
            Output.text("\(keys.publicLine)")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the public part as one line, apus1:…, which may be given to anyone.")

        @Argument(help: ArgumentHelp("A key file.", valueName: "file"))
        var file: String

        func run() async throws { Output.text("\(try NodeKeys.load(path: file).publicLine)") }
    }
}
