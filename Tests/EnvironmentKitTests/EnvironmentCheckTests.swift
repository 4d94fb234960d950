import Testing

@testable import EnvironmentKit

/// The checker must find what is wrong; each environment here breaks one rule.
struct EnvironmentCheckTests {
    @Test func aSoundOneHasNoFindings() async {
        #expect(await checkEnvironment(Echo.self) == [])
    }

    @Test(arguments: [
        ("golden", "golden"), ("range", "range"), ("moody", "same-seed"), ("leaky", "held-out"), ("eager", "truncated"),
        ("faulty", "grader"), ("boastful", "demonstrations"), ("gullible", "hostile"), ("monotonous", "variety"),
    ])
    func findsTheFault(_ fault: String, _ rule: String) async {
        let findings = await checkEnvironment(Echo.self, options: ["fault": .string(fault)])
        #expect(findings.contains { $0.rule == rule }, "\(findings)")
    }

    @Test func namesAreChecked() async {
        #expect(checkRegistry(ids: ["a-b", "c"]).isEmpty)
        #expect(checkRegistry(ids: ["a", "a"]).count == 1)
        #expect(checkRegistry(ids: ["dataset", "A", "a--b", "a-", ""]).count == 5)
        #expect(await checkEnvironment(Echo.self, options: ["colour": 1]).first?.rule == "options")
    }
}

/// Repeat a word; with an option it breaks a rule on purpose.
struct Echo: Environment {
    static let id = "echo"
    static let summary = "Repeat a number."
    let options: EnvironmentOptions
    let fault: String
    let maximumCompletionTokens = 8

    init(options: EnvironmentOptions) throws {
        var reader = OptionReader(options, of: Self.id)
        fault = try reader.text("fault", default: "none")
        try reader.finish()
        self.options = ["fault": .string(fault)]
    }

    var warmUp: WarmUpPlan? { WarmUpPlan(steps: 10, correctShare: fault == "boastful" ? 0.9 : 0.5, note: "") }

    func task(seed: UInt64, index: UInt64, split: Split) throws -> EnvironmentTask {
        var random = SplitMix64(stream: seed, index, split.streamWord)
        if fault == "moody" { random = SplitMix64(seed: SystemRandomNumberGenerator().draw()) }
        var word = "1"
        repeat {
            word = fault == "monotonous" && split == .train ? "5" : String(random.integer(below: 4_000))
        } while fault != "leaky" && fault != "monotonous" && Split.containing(canonicalProblem: word) != split
        return EnvironmentTask(
            id: EnvironmentTask.identifier(seed: seed, index: index, split: split), prompt: word + ">", answer: word)
    }

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        if fault == "faulty", completion.isEmpty {
            throw EnvironmentError(.grader, at: Self.id, "cannot judge nothing")
        }
        if fault == "gullible", completion.count > 1_000 { return 1 }
        let isRight = completion.answerBytes.elementsEqual((task.answer ?? "").utf8)
        if fault == "golden" { return isRight ? 0.5 : 0 }
        if fault == "range" { return isRight ? 1 : -.infinity }
        return isRight && (finished || fault == "eager") ? 1 : 0
    }

    func demonstration(of task: EnvironmentTask, using random: inout SplitMix64) -> String? {
        random.chance(0.5) ? task.answer : "?"
    }
}

extension SystemRandomNumberGenerator {
    fileprivate func draw() -> UInt64 {
        var copy = self
        return copy.next()
    }
}
