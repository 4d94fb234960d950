import EnvironmentKit
import Foundation
import Roles
import RunConfiguration
import Telemetry
import Tensors

/// The demo's own part of the story: what the policy could do before, what it can do after, and the summary.
actor DemoStory {
    private let file: RunFile
    private let plan: SwarmPlan
    private let environment: any Environment
    private let kernels: Kernels
    private let threads: Int
    private let began: ContinuousClock.Instant
    private let terminal = Terminal()
    private var before: DemoMeasurement?

    init(
        file: RunFile, plan: SwarmPlan, environment: any Environment, kernels: Kernels, threads: Int,
        began: ContinuousClock.Instant
    ) {
        self.environment = environment
        self.file = file
        self.plan = plan
        self.kernels = kernels
        self.threads = threads
        self.began = began
    }

    nonisolated func introduce() {
        let liars = plan.dishonest
        terminal.say("Apus demo: a swarm of strangers trains a policy on \(file.environment.name).", .bold)
        terminal.say("  run      \(plan.directory.root), kernel row \(kernels.row), \(threads) cores")
        terminal.say(
            "  members  orchestrator, trainer, relay, \(file.swarm.verifiers) verifier, \(plan.workers.joined(separator: ", "))"
                + (liars.isEmpty ? "" : " (\(liars.joined(separator: ", ")) lies: old weights, perturbed)"))
        if let note = environment.warmUp?.note { terminal.say("  warm-up  \(note)") }
        terminal.say()
    }

    func follow(_ line: StoryLine) async {
        // The first version is the warmed-up model: what the policy can do before any reinforcement.
        guard line.kind == "version", before == nil, line.step == 0 else { return }
        do {
            let measurement = try await measure(plan.directory.startModel)
            before = measurement
            terminal.say()
            terminal.say("  before   \(measurement.sentence)")
            for sample in measurement.samples { terminal.say("           \(sample.line)", .faint) }
        } catch {
            terminal.say("  · The held-out prompts could not be measured: \(error)", .yellow)
        }
    }

    func conclude() async throws {
        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        let after = try await measure(plan.directory.model)
        let before = try await measured()
        terminal.say()
        terminal.say("  after    \(after.sentence)")
        for sample in after.samples { terminal.say("           \(sample.line)", .faint) }
        try RunTables(report: report, terminal: terminal).show()
        try ChartWriter(directory: plan.directory).write(
            report, title: "Apus demo", environment: file.environment.name,
            heldOut: [
                RewardChart.Mark(step: 0, reward: before.sampled, label: "before"),
                RewardChart.Mark(step: Int(report.steps), reward: after.sampled, label: "after"),
            ])
        let seconds = began.duration(to: .now) / .seconds(1)
        let summary = DemoSummary(
            report: report, before: before, after: after, dishonest: plan.dishonest.first, seconds: seconds)
        try summary.write(to: plan.directory.summary)
        terminal.say()
        terminal.say(
            "  reward on held-out prompts \(Terminal.fixed(before.sampled, 2)) → \(Terminal.fixed(after.sampled, 2)) in "
                + "\(report.steps) steps, \(Terminal.fixed(seconds, 1)) s; mismatch_kl \(summary.mismatchKl), "
                + "staleness at most \(report.maximumStaleness)", .green)
        terminal.say("  \(plan.directory.rewardChart)")
        terminal.say("  \(plan.directory.summary)")
        terminal.say("  \(plan.directory.metrics)")
    }

    private func measured() async throws -> DemoMeasurement {
        if let before { return before }
        return try await measure(plan.directory.startModel)
    }

    private func measure(_ model: String) async throws -> DemoMeasurement {
        return try await DemoMeasurement(
            model: model, environment: environment, prompts: file.evaluation.prompts, kernels: kernels,
            pool: ComputePool(threads: threads))
    }
}
