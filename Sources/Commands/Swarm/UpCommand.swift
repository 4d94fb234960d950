import ArgumentParser
import Foundation
import Roles
import RunConfiguration

/// `apus up @ run.toml`.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start every process of a run on this machine, show what happens, stop them together.",
        discussion: """
            Ctrl-C drains: work in progress is finished or given back, the trainer checkpoints, and --resume goes on \
            later. Others join by the address that is printed.

              apus up @ configs/demo.toml
              apus up @ configs/demo.toml --training.steps 100 --run.directory runs/longer
              apus up @ runs/longer/run.json --resume
            """)

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("@ run.toml, then --section.key value to override.", valueName: "@ run.toml"))
    var words: [String] = []

    @Flag(help: "Print the resolved run and stop.")
    var dryRun = false

    @Flag(help: "Go on with the run in the run's directory.")
    var resume = false

    @Flag(help: "Throw away the run in the run's directory and start over.")
    var clean = false

    func validate() throws {
        if resume, clean { throw ValidationError("--resume and --clean exclude each other.") }
    }

    func run() async throws {
        let arguments = try RunFileArguments(words)
        try arguments.requireNothingMore()
        let file = arguments.file
        if dryRun {
            print(file.toml, terminator: "")
            return
        }
        let plan = try SwarmPlan(file, existing: resume ? .resume : clean ? .clean : .refuse)
        let terminal = Terminal()
        terminal.say("Run \(file.run.name) in \(plan.directory.root)", .bold)
        terminal.say("  join with   rollout-worker join '\(plan.address)'")
        if file.admission.mode == .invite {
            terminal.say(
                "              followed by &invite=TOKEN, a token of admission.invites in \(plan.directory.runFile)")
        }
        let wasStopped = try await SwarmRunner(plan: plan).run()
        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        try RunTables(report: report, terminal: terminal).show()
        try ChartWriter(directory: plan.directory).write(
            report, title: file.run.name, environment: file.environment.name)
        if wasStopped {
            terminal.say("Stopped after step \(report.steps). Go on with: apus up @ \(plan.directory.runFile) --resume")
        }
    }
}
