import Adversaries
import ArgumentParser
import Foundation
import Roles
import Tensors
import Transformer
import Verification

/// `apus audit-report`.
struct AuditReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit-report",
        abstract: "Cheat in every way that is known against a model, and count what the checks let through.",
        discussion: """
            Honest workers of every instruction-set row and several thread counts must all be accepted; every attack that \
            changes anything must be rejected under the exact policy. Anything else exits with 65. Beside that stands what \
            the toploc policy for foreign engines sees, with its standard thresholds and with calibrated ones.

              apus audit-report --model runs/demo/model
              apus audit-report --model DIR --rollouts 1000 --attacks int8-weights,best-of-4 --json report.json

            The foreign engine is simulated, unless you name a server of your own; then every rollout of it must be accepted, \
            too:

              apus audit-report --model DIR --engine openai --server http://127.0.0.1:8000/v1 --served-model policy \
            --only-foreign
            """)

    @Option(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "The version before, for attacks by old weights (default: a drift of one bf16 step in 1 % of the values).",
            valueName: "dir"))
    var previous: String?

    @Option(
        help: ArgumentHelp(
            "Prompts, as lines {\"prompt\": text} or {\"tokens\": [ids]} (default: a few texts of our own).",
            valueName: "file.jsonl"))
    var input: String?

    @Option(parsing: .unconditional, help: "Effective rollouts of each attack.")
    var rollouts: Int = 64

    @Option(parsing: .unconditional, help: "Honest rollouts (default: four times --rollouts).")
    var honest: Int?

    @Option(parsing: .unconditional, help: "Rollouts of the foreign engine (default: --rollouts).")
    var foreign: Int?

    @OptionGroup var served: ForeignOptions

    @Flag(help: "Nothing but the foreign engine: no workers of ours, no attacks, no verifiers, no cost.")
    var onlyForeign = false

    @Option(parsing: .unconditional, help: "The top-k of the foreign engine's leases; 0 is off.")
    var foreignTopK: Int = 0

    @Option(
        help: ArgumentHelp(
            "Calibrated thresholds: those of an earlier report, instead of what this one's foreign engine needs.",
            valueName: "report.json"))
    var thresholds: String?

    @Option(parsing: .unconditional, help: "Relative deviation of the simulated foreign engine's activations.")
    var foreignNoise: Float = 0.01

    @Option(
        help: ArgumentHelp(
            "Instruction-set rows of honest workers and verifiers (default: all of this machine, or --row).",
            valueName: "name,…"))
    var rows: String?

    @Option(help: ArgumentHelp("Only these attacks, or none (default: all).", valueName: "name,…"))
    var attacks: String?

    @Option(parsing: .unconditional, help: "Tokens of a sample at most.")
    var maxTokens: Int = 48

    @Option(parsing: .unconditional, help: "Everything that is drawn follows from it.")
    var seed: UInt64 = 0

    @Flag(help: "Without the processor time of verification beside generation's.")
    var noCost = false

    @Option(help: ArgumentHelp("Write everything that was counted to a file.", valueName: "file"))
    var json: String?

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard rollouts >= 1, honest ?? 1 >= 1, foreign ?? 1 >= 1, maxTokens >= 2 else {
            throw ValidationError("Every number must be at least 1, --max-tokens at least 2.")
        }
        guard foreignTopK >= 0 else { throw ValidationError("--foreign-top-k must not be negative; 0 is off.") }
        guard foreignNoise >= 0, foreignNoise <= 1 else {
            throw ValidationError("--foreign-noise must be between 0 and 1.")
        }
        _ = try chosenAttacks()
        _ = try chosenRows()
    }

    private func chosenRows() throws -> [KernelRow] {
        guard let rows else {
            return compute.row.flatMap(KernelRow.init(rawValue:)).map { [$0] } ?? KernelRow.available
        }
        return try rows.split(separator: ",").map { name in
            guard let row = KernelRow(rawValue: String(name)), KernelRow.available.contains(row) else {
                throw ValidationError(
                    "There is no row \(name) here; there are "
                        + KernelRow.available.map(\.rawValue).joined(separator: ", ") + ".")
            }
            return row
        }
    }

    private func chosenAttacks() throws -> [any Attack] {
        guard let attacks else { return AttackCatalogue.all }
        if attacks == "none" { return [] }
        return try attacks.split(separator: ",").map { name in
            guard let attack = AttackCatalogue.attack(named: String(name)) else {
                throw ValidationError(
                    "There is no attack \(name); there are "
                        + AttackCatalogue.all.map(\.name).joined(separator: ", ") + ".")
            }
            return attack
        }
    }

    func run() async throws {
        let began = ContinuousClock.now
        let directory = try ModelDirectory(opening: model)
        let configuration = directory.configuration
        guard configuration.maxPositions > maxTokens else {
            throw RoleFailure(
                .badInput, "The model has \(configuration.maxPositions) positions.", advice: "Lower --max-tokens.")
        }
        let kernels = try compute.kernels()
        let pool = compute.pool()
        let before = try previous.map { try ModelDirectory(opening: $0) }
        guard before.map({ $0.configuration == configuration }) ?? true else {
            throw RoleFailure(.badInput, "The previous version is a model of another shape.")
        }
        let prompts = try AuditPrompts(
            model: model, input: input, configuration, seed: seed, room: configuration.maxPositions - maxTokens)
        let lab = AttackLab(
            weights: try directory.weights(kernels: kernels, pool: pool),
            previous: try before?.weights(kernels: kernels, pool: pool), prompts: prompts.set, kernels: kernels,
            pool: pool, seed: seed)
        var settings = AuditSuite.Settings(
            stopTokens: Self.stopTokens(directory, seed: seed),
            rows: try chosenRows(),
            threads: Array(Set([1, compute.threadCount, compute.threadCount + 1])).sorted())
        settings.maximumTokens = maxTokens
        settings.foreignNoise = foreignNoise
        settings.foreignTopK = foreignTopK
        let given = try thresholds.map(AuditReport.calibrated(in:))
        let suite = AuditSuite(lab, settings)
        var report = AuditReport(
            model: AuditReport.Model(
                path: model, weightsHash: lab.weights.weightsHash.hex, parameters: lab.weights.layout.parameterCount,
                prompts: prompts.description,
                previous: previous ?? "a seeded drift: one bf16 step in 1 % of the values for each version"),
            settings: AuditReport.Settings(
                samples: settings.samples, maxTokens: maxTokens, seed: seed, rows: settings.rows.map(\.rawValue),
                threads: settings.threads))
        if !onlyForeign {
            report.honest = try suite.honest(rollouts: honest ?? 4 * rollouts, Self.say).map(AuditReport.Honest.init)
        }
        let stranger = try await stranger(suite, given)
        report.foreign = AuditReport.Foreign(stranger, server: served.server)
        if !onlyForeign { try compare(suite, given ?? stranger.calibrated, stranger, &report) }
        report.seconds = began.duration(to: .now) / .seconds(1)
        for line in AuditReportText(report).lines { Output.text(line) }
        if let json { try report.write(to: json) }
        let faults = report.faults
        guard faults.isEmpty else { throw RoleFailure(.badInput, faults.joined(separator: " ")) }
    }

    /// What the server generates that was named, or the simulation.
    private func stranger(_ suite: AuditSuite, _ given: ForeignEnginePolicy?) async throws -> ForeignOutcome {
        guard let engine = try served.namedEngine() else {
            Self.say("foreign engine")
            return try suite.foreign(rollouts: foreign ?? rollouts, thresholds: given)
        }
        let terms = suite.foreignTerms(rollouts: foreign ?? rollouts, engine: engine.kind.rawValue)
        let served = ServedGroups(
            engine, model: model, configuration: suite.lab.configuration, weightsHash: suite.lab.weights.weightsHash)
        let evidence = try await served.generate(terms) { count in
            if count % max(1, terms.count / 10) == 0 || count == terms.count {
                Self.say("foreign engine: \(count) of \(terms.count) groups")
            }
        }
        return try suite.foreign(evidence, for: terms, thresholds: given)
    }

    private func compare(
        _ suite: AuditSuite, _ calibrated: ForeignEnginePolicy, _ stranger: ForeignOutcome, _ report: inout AuditReport
    ) throws {
        for attack in try chosenAttacks() {
            Self.say("attack: \(attack.name)")
            let outcome = try suite.run(attack, rollouts: rollouts, calibrated: calibrated)
            report.attacks.append(AuditReport.Attack(outcome, honest: stranger.margins))
        }
        Self.say("verifiers")
        report.verifiers = try suite.verifiers(groups: max(1, min(rollouts / suite.settings.samples, 128)))
            .map(AuditReport.Verifier.init)
        report.forgedReward = AuditReport.Rate(try ForgedReward.rejections(suite, groups: 16))
        if !noCost {
            Self.say("cost")
            report.costs = try [64, 1].map { AuditReport.Cost(try suite.cost(batch: $0)) }
        }
    }

    /// The model's own stop tokens, and enough others that a fair share of samples ends before the maximum.
    private static func stopTokens(_ directory: ModelDirectory, seed: UInt64) -> [Int32] {
        let vocabulary = directory.configuration.vocabularySize
        var tokens = directory.generation.stopTokens
        let wanted = min(200, max(1, vocabulary / 128))
        // Spread over the ids by a step that shares no factor with most sizes.
        var candidate = Int(seed % UInt64(vocabulary))
        while tokens.count < wanted {
            candidate = (candidate + 7919) % vocabulary
            if !tokens.contains(Int32(candidate)) { tokens.append(Int32(candidate)) }
        }
        return tokens
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
