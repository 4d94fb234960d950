import ArgumentParser
import Foundation
import Roles

/// Runs a command as a process: one sentence on standard error and an exit code for every failure, never a dump.
public enum Entry {
    /// Parses the arguments, runs the command, and does not come back.
    public static func run<Command: AsyncParsableCommand>(_ type: Command.Type) async -> Never {
        MappedFileFault.report()
        var isParsed = false
        do {
            var command = try type.parseAsRoot()
            isParsed = true
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch let error as ValidationError where isParsed {
            // ArgumentParser would add the usage of the whole tool: it no longer knows which subcommand ran.
            stop("\(error) (see --help)", 64, as: type)
        } catch {
            fail(error, as: type)
        }
    }

    private static func fail<Command: ParsableCommand>(_ error: any Error, as type: Command.Type) -> Never {
        // What ArgumentParser understands (help, version, wrong usage) it prints itself, with exit code 64 for usage.
        if error is CleanExit || error is ExitCode || error is ValidationError || isParserError(error) {
            type.exit(withError: error)
        }
        let failure = Failure(error)
        stop(failure.sentence, failure.exitCode, as: type)
    }

    private static func stop<Command: ParsableCommand>(_ sentence: String, _ code: Int32, as type: Command.Type)
        -> Never
    {
        FileHandle.standardError.write(Data("\(type._commandName): \(sentence)\n".utf8))
        exit(code)
    }

    /// ArgumentParser's own errors are internal types of that module.
    private static func isParserError(_ error: any Error) -> Bool {
        String(reflecting: Swift.type(of: error)).hasPrefix("ArgumentParser.")
    }
}
