import ArgumentParser
import EnvironmentKit
import JSON
import Roles

/// `apus env`.
struct EnvCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Tools for authors of environments.",
        discussion: """
              apus env check digit-sort
              apus env sample dataset:problems.jsonl --option reward=numeric-match -n 3
              apus env check 'process:python3 docs/examples/letter_count.py'
              apus env show @configs/process.toml
            """,
        subcommands: [List.self, Show.self, Sample.self, Check.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every environment and what it asks.")

        func run() async throws {
            let known = EnvironmentRegistry.all.map { ($0.id, $0.summary) } + EnvironmentRegistry.others
            for (id, summary) in known { Output.text(Terminal.left(id, 18) + summary) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One environment: its tasks, and the settings that it supplies to a run file.")

        @Argument(help: ArgumentHelp(EnvironmentChoice.help)) var name: String
        @OptionGroup var choice: EnvironmentChoice

        func run() async throws {
            let environment = try await choice.open(name)
            Output.text("\(environment.id): \(type(of: environment).summary)")
            Output.text("at most \(environment.maximumCompletionTokens) tokens, hash \(environment.hash)")
            if let note = environment.warmUp?.note { Output.text(note) }
            if !environment.reinforcement.expectation.isEmpty { Output.text(environment.reinforcement.expectation) }
            Output.text("\n# what a run file may override\n" + environment.runFileDefaults)
        }
    }

    struct Sample: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Some tasks with their answers.")

        @Argument(help: ArgumentHelp(EnvironmentChoice.help)) var name: String
        @OptionGroup var choice: EnvironmentChoice
        @Option(name: .customShort("n"), parsing: .unconditional, help: "How many.") var count: Int = 5
        @Option(parsing: .unconditional, help: "Chooses the tasks.") var seed: UInt64 = 0

        func run() async throws {
            let environment = try await choice.open(name)
            for index in 0..<UInt64(max(0, count)) {
                let task = try environment.task(seed: seed, index: index, split: .train)
                Output.text(JSONValue.object(Self.line(task)).line)
            }
        }

        private static func line(_ task: EnvironmentTask) -> JSONObject {
            var members = [JSONMember("id", .string(task.id))]
            if let conversation = task.conversation {
                members.append(JSONMember("messages", .array(conversation.messages)))
            }
            members.append(JSONMember("prompt", .string(task.prompt)))
            if let answer = task.answer { members.append(JSONMember("answer", .string(answer))) }
            if let origin = task.origin { members.append(JSONMember("origin", .string(origin))) }
            return JSONObject(members)
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check an environment against the rules that every one must keep; needs no training.")

        @Argument(help: ArgumentHelp(EnvironmentChoice.help)) var name: String
        @OptionGroup var choice: EnvironmentChoice

        func run() async throws {
            let environment = try await choice.open(name)
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
