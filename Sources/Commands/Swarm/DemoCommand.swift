import ArgumentParser
import EnvironmentKit
import Foundation
import Roles
import RunConfiguration
import Tensors

/// `apus demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Watch a whole swarm on this machine train a policy while a cheat is caught (about a minute).",
        discussion: """
            Eight processes over real sockets: an orchestrator, a trainer, a relay, a verifier and three rollout-workers, \
            one of which lies. Writes summary.json, metrics.jsonl and reward.svg into the run's directory.

              apus demo
              apus demo --env reverse-text --out runs/reverse
            """)

    @Option(help: ArgumentHelp("Where the run lives; an earlier demo there is replaced.", valueName: "dir"))
    var out: String = "runs/demo"

    @Option(help: ArgumentHelp("What the policy learns; see `apus env list`.", valueName: "name"))
    var env: String = "digit-sort"

    @Option(help: ArgumentHelp("nano, tiny, small, s or q.", valueName: "name"))
    var shape: String = "nano"

    @Option(parsing: .unconditional, help: "Chooses initial weights and demonstrations.")
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: "Optimizer steps (default: the environment's own number).")
    var steps: Int?

    @Flag(help: "Leave the dishonest worker out.")
    var noCheater = false

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard ModelShapeName(rawValue: shape) != nil else {
            throw ValidationError(
                "There is no shape \(shape); choose \(ModelShapeName.allCases.map(\.rawValue).joined(separator: ", "))."
            )
        }
        if let steps, steps < 1 { throw ValidationError("--steps must be at least 1.") }
    }

    func run() async throws {
        let began = ContinuousClock.now
        let shapeName = ModelShapeName(rawValue: shape) ?? .nano
        _ = try EnvironmentRegistry.type(named: env)
        let layer = BuiltInRunFiles.demo(
            environment: env, shape: shapeName, seed: seed, steps: steps, directory: out, cheater: !noCheater)
        let file = try RunFile.load(layers: [layer], environmentDefaults: EnvironmentRegistry.runFileDefaults)
        let directory = RunDirectory(file.run.resolvedDirectory)
        try refuseForeign(directory)
        let plan = try SwarmPlan(
            file, existing: FileManager.default.fileExists(atPath: directory.runFile) ? .clean : .refuse)
        let story = DemoStory(
            file: file, plan: plan, environment: try await EnvironmentRegistry.open(file.environment),
            kernels: try compute.kernels(), threads: compute.threadCount, began: began)
        story.introduce()
        let wasStopped = try await SwarmRunner(plan: plan) { line in await story.follow(line) }.run()
        if wasStopped {
            Terminal().say("Stopped. Go on with: apus up @ \(plan.directory.runFile) --resume")
            return
        }
        try await story.conclude()
    }

    /// A directory that holds something else than a demo is not ours to replace.
    private func refuseForeign(_ directory: RunDirectory) throws {
        guard let data = FileManager.default.contents(atPath: directory.runFile) else { return }
        guard let text = String(data: data, encoding: .utf8),
            text.contains("\"name\": \"demo\"") || text.contains("\"name\":\"demo\"")
        else {
            throw RoleFailure(
                .usage, "\(directory.root) holds a run that is no demo.", advice: "Choose another --out.")
        }
    }
}
