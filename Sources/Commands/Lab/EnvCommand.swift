import ArgumentParser
import EnvironmentKit
import Roles

/// `apus env`.
struct EnvCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Tools for authors of environments.",
        subcommands: [List.self, Show.self, Sample.self, Check.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every environment and what it asks.")

        func run() async throws {
            for type in EnvironmentRegistry.all { Output.text(Terminal.left(type.id, 18) + type.summary) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One environment: its tasks, and the settings that it supplies to a run file.")

        @Argument var name: String

        func run() async throws {
            let type = try EnvironmentRegistry.type(named: name)
            let environment = try type.init(options: [:])
            Output.text("\(type.id): \(type.summary)")
            Output.text("at most \(environment.maximumCompletionTokens) tokens, hash \(environment.hash)")
            if let note = environment.warmUp?.note { Output.text(note) }
            if !environment.reinforcement.expectation.isEmpty { Output.text(environment.reinforcement.expectation) }
            Output.text("\n# what a run file may override\n" + environment.runFileDefaults)
        }
    }

    struct Sample: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Some tasks with their answers.")

        @Argument var name: String
        @Option(name: .customShort("n"), help: "How many.") var count: Int = 5
        @Option(help: "Chooses the tasks.") var seed: UInt64 = 0

        private struct Line: Encodable {
            let id: String
            let prompt: String
            let answer: String?
        }

        func run() async throws {
            let environment = try EnvironmentRegistry.type(named: name).init(options: [:])
            for index in 0..<UInt64(max(0, count)) {
                let task = try environment.task(seed: seed, index: index, split: .train)
                try Output.line(Line(id: task.id, prompt: task.prompt, answer: task.answer))
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check an environment against the rules that every one must keep; needs no training.")

        @Argument var name: String

        func run() async throws {
            let environment = try EnvironmentRegistry.type(named: name).init(options: [:])
            let findings = await checkEnvironment(environment)
            guard findings.isEmpty else {
                for finding in findings { Output.text("\(finding)") }
                throw RoleFailure(
                    .badInput, "\(name) breaks \(findings.count) rule(s).", advice: "See docs/environments.md.")
            }
            Output.text("\(name) keeps every rule.")
        }
    }
}
