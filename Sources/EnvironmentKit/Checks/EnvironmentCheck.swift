/// Something that is wrong with an environment or a reward.
public struct Finding: Sendable, Hashable, CustomStringConvertible {
    /// The rule that is broken: kebab-case, stable.
    public var rule: String
    /// What was seen and what to do.
    public var message: String

    /// A finding from its parts.
    public init(rule: String, message: String) {
        self.rule = rule
        self.message = message
    }

    /// One line.
    public var description: String { "\(rule): \(message)" }
}

/// Checks everything that the house expects of an environment, without any training; empty if all is well.
///
/// `apus env check` prints the findings, and a test runs this for every registered environment, so a new file is
/// tested without a new test.
///
/// - Parameters:
///   - type: The environment.
///   - options: Its options.
///   - tasks: How many tasks of each split are looked at.
public func checkEnvironment(
    _ type: any Environment.Type, options: EnvironmentOptions = [:], tasks: UInt64 = 64
) async -> [Finding] {
    guard isKebabCase(type.id) else {
        return [Finding(rule: "id", message: "the id \"\(type.id)\" must be kebab-case, such as digit-sort")]
    }
    do {
        return await checkEnvironment(try type.init(options: options), tasks: tasks)
    } catch {
        return [Finding(rule: "options", message: "the environment refuses its options: \(error)")]
    }
}

/// Checks an environment that exists already, such as a dataset or a program.
public func checkEnvironment(_ environment: any Environment, tasks: UInt64 = 64) async -> [Finding] {
    var checker = EnvironmentChecker(environment: environment, count: tasks)
    await checker.run()
    return checker.findings
}

/// Checks that the names of a registry can be told apart.
public func checkRegistry(ids: [String]) -> [Finding] {
    let duplicates = Dictionary(grouping: ids, by: { $0 }).filter { $1.count > 1 }.keys.sorted()
    return duplicates.map { Finding(rule: "unique-id", message: "the id \($0) is used more than once") }
        + ids.filter { !isKebabCase($0) }.map { Finding(rule: "id", message: "the id \($0) must be kebab-case") }
        + ids.filter(reservedEnvironmentNames.contains).map {
            Finding(rule: "id", message: "the id \($0) is reserved for environments without Swift code")
        }
}

/// Names that run files use for environments that are no type in `environments/`.
public let reservedEnvironmentNames = ["dataset", "process"]

/// Lowercase words with single dashes between them, a letter first.
func isKebabCase(_ text: String) -> Bool {
    guard (1...48).contains(text.utf8.count), let first = text.utf8.first, (97...122).contains(first) else {
        return false
    }
    return !text.contains("--") && text.last != "-"
        && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
}

private struct EnvironmentChecker {
    let environment: any Environment
    let count: UInt64
    var findings: [Finding] = []

    mutating func run() async {
        checkSettings()
        guard checkReproducibility(), let train = tasks(.train), let heldOut = tasks(.heldOut) else { return }
        checkSplits(train, heldOut)
        for task in train.prefix(16) { await checkScores(task) }
        await checkDemonstrations(train)
    }

    private mutating func report(_ rule: String, _ message: String) {
        findings.append(Finding(rule: rule, message: message))
    }

    private mutating func checkSettings() {
        let environment = environment
        if environment.maximumCompletionTokens < 1 { report("length", "maximumCompletionTokens must be at least 1") }
        if type(of: environment).summary.isEmpty { report("summary", "the summary is empty; write one sentence") }
        if let again = try? type(of: environment).init(options: environment.options), again.hash != environment.hash {
            report("options", "the options do not make the same environment again; keep every option in `options`")
        }
    }

    private mutating func checkReproducibility() -> Bool {
        do {
            for index in [0, 1, count, 1 << 40] {
                let first = try environment.task(seed: 7, index: index, split: .train)
                guard try environment.task(seed: 7, index: index, split: .train) == first else {
                    report("same-seed", "the task of seed 7, index \(index) differs from call to call")
                    return false
                }
            }
            return true
        } catch {
            report("task", "a task cannot be made: \(error)")
            return false
        }
    }

    private mutating func tasks(_ split: Split) -> [EnvironmentTask]? {
        do {
            return try (0..<count).map { try environment.task(seed: 1, index: $0, split: split) }
        } catch {
            report("task", "a task of the split \(split.rawValue) cannot be made: \(error)")
            return nil
        }
    }

    private mutating func checkSplits(_ train: [EnvironmentTask], _ heldOut: [EnvironmentTask]) {
        if let empty = (train + heldOut).first(where: \.prompt.isEmpty) {
            report("prompt", "the prompt of \(empty.id) is empty")
        }
        let ids = Set((train + heldOut).map(\.id))
        if ids.count < train.count + heldOut.count { report("task-id", "several tasks have the same id") }
        // Far more training tasks than the other checks need: a leak is rare.
        let seen = Set(
            (0..<(count * 32)).compactMap { try? environment.task(seed: 3, index: $0, split: .train).prompt })
        if let leak = heldOut.first(where: { seen.contains($0.prompt) }) {
            report("held-out", "the held-out prompt \"\(leak.prompt.prefix(60))\" is also trained on")
        }
        if count > 1, Set(train.map(\.prompt)).count == 1 {
            report("variety", "every training task has the same prompt")
        }
    }

    private mutating func checkScores(_ task: EnvironmentTask) async {
        if let answer = task.answer {
            let given = await score(Array(answer.utf8), finished: true, task, "the golden answer")
            if let given, given != 1 {
                report("golden", "the golden answer \"\(answer.prefix(60))\" of \(task.id) scores \(given), not 1")
            }
            if let cut = await score(Array(answer.utf8), finished: false, task, "a truncated answer"), cut == 1 {
                report("truncated", "a completion without the stop token scores 1 on \(task.id)")
            }
        }
        let hostile: [(String, [UInt8])] = [
            ("an empty answer", []), ("a megabyte", [UInt8](repeating: 0x37, count: 1 << 20)),
            ("a megabyte of brackets", [UInt8](repeating: 0x28, count: 1 << 20)),
            ("invalid UTF-8", [0xFF, 0xC0, 0x00, 0xED, 0xA0, 0x80]), ("a newline", [0x0A]),
        ]
        for (name, bytes) in hostile {
            for finished in [true, false] {
                let given = await score(bytes, finished: finished, task, name)
                if name != "a newline", given == 1 { report("hostile", "\(name) scores 1 on \(task.id)") }
            }
        }
    }

    private mutating func score(
        _ bytes: [UInt8], finished: Bool, _ task: EnvironmentTask, _ name: String
    ) async -> Double? {
        do {
            let score = try await environment.score(completion: bytes, finished: finished, of: task)
            if !(0...1).contains(score) {
                report("range", "\(name) scores \(score) on \(task.id); a score is from 0 to 1")
            }
            return score
        } catch {
            report("grader", "\(name) makes the grader fail on \(task.id): \(error)")
            return nil
        }
    }

    private mutating func checkDemonstrations(_ tasks: [EnvironmentTask]) async {
        guard let plan = environment.warmUp else { return }
        var random = SplitMix64(seed: 11)
        let rounds = max(1, 2048 / max(1, tasks.count))
        var (right, total) = (0.0, 0.0)
        for task in tasks {
            for _ in 0..<rounds {
                guard let text = environment.demonstration(of: task, using: &random) else {
                    report("demonstrations", "there is a warm-up plan, but no demonstration of \(task.id)")
                    return
                }
                total += 1
                right += (try? await environment.score(completion: Array(text.utf8), finished: true, of: task)) ?? 0
            }
        }
        let stated = plan.correctShare + plan.accidentalShare
        // Four standard deviations of a share of 2048 draws are below 0.045.
        if total > 0, (right / total - stated).magnitude > 0.06 {
            report(
                "demonstrations",
                "\(right / total) of the demonstrations are right; the plan says \(plan.correctShare) on purpose and "
                    + "\(plan.accidentalShare) by accident")
        }
    }
}
