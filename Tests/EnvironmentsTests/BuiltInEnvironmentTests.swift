import EnvironmentKit
import Testing

@testable import Environments

struct BuiltInEnvironmentTests {
    @Test func digitSortScoresOnlyTheSortedDigits() throws {
        let environment = try DigitSort(options: [:])
        let task = EnvironmentTask(id: "t", prompt: "83152>", answer: "12358")
        #expect(try environment.score(completion: Array("12358".utf8), finished: true, of: task) == 1)
        // The stop token's own text may be part of the completion.
        #expect(try environment.score(completion: Array("12358\n".utf8), finished: true, of: task) == 1)
        for wrong in ["1235", "123588", "12358\n\n", "12358 ", "85321", "", "12385"] {
            #expect(try environment.score(completion: Array(wrong.utf8), finished: true, of: task) == 0)
        }
        #expect(try environment.score(completion: Array("12358".utf8), finished: false, of: task) == 0)
    }

    @Test func digitSortDrawsWhatTheRecipeSays() throws {
        let environment = try DigitSort(options: [:])
        var lengths: Set<Int> = []
        for index in 0..<500 {
            let task = try environment.task(seed: 0, index: UInt64(index), split: index % 2 == 0 ? .train : .heldOut)
            #expect(task.prompt.last == ">")
            #expect(String(task.prompt.dropLast().sorted()) == task.answer)
            lengths.insert(task.prompt.count - 1)
        }
        #expect(lengths == [4, 5, 6, 7, 8])
    }

    /// 30 % right; of the others 65 % descending, 21 % copied, 14 % lack a digit.
    @Test func digitSortDemonstrationsHaveTheStatedMixture() throws {
        let environment = try DigitSort(options: [:])
        var random = SplitMix64(seed: 3)
        let task = EnvironmentTask(id: "t", prompt: "52831>", answer: "12358")
        var counts = [String: Double]()
        for _ in 0..<20_000 {
            let text = try #require(environment.demonstration(of: task, using: &random))
            let kind =
                text == "12358" ? "right" : text == "85321" ? "descending" : text == "52831" ? "copy" : "dropped"
            if kind == "dropped" { #expect(text.count == 4 && text == String(text.sorted())) }
            counts[kind, default: 0] += 1.0 / 20_000
        }
        for (kind, share) in ["right": 0.3, "descending": 0.455, "copy": 0.147, "dropped": 0.098] {
            #expect(abs((counts[kind] ?? 0) - share) < 0.015)
        }
    }

    @Test func noPermutationCrossesTheSplit() throws {
        let environment = try DigitSort(options: [:])
        let train = Set(try (0..<4_000).compactMap { try environment.task(seed: 5, index: $0, split: .train).answer })
        let heldOut = Set(try (0..<500).compactMap { try environment.task(seed: 6, index: $0, split: .heldOut).answer })
        #expect(train.isDisjoint(with: heldOut))
    }

    @Test func additionIsAnsweredBackwards() throws {
        let environment = try Addition(options: [:])
        for index in 0..<300 {
            let task = try environment.task(seed: 0, index: UInt64(index), split: .train)
            let parts = task.prompt.dropLast().split(separator: "+")
            #expect(task.prompt.count == 6 && parts.allSatisfy { $0.count == 2 })
            let sum = parts.compactMap { Int($0) }.reduce(0, +)
            let answer = try #require(task.answer)
            #expect(answer.count == 3 && Int(String(answer.reversed())) == sum)
        }
        #expect(Addition.digits == 2 && AdditionThreeDigits.digits == 3)
    }

    @Test func swappedSummandsStayOnTheirSide() throws {
        let environment = try Addition(options: [:])
        func key(_ task: EnvironmentTask) -> [Substring] { task.prompt.dropLast().split(separator: "+").sorted() }
        let train = Set(try (0..<6_000).map { key(try environment.task(seed: 5, index: $0, split: .train)) })
        let heldOut = Set(try (0..<500).map { key(try environment.task(seed: 6, index: $0, split: .heldOut)) })
        #expect(train.isDisjoint(with: heldOut))
    }

    @Test func reverseTextReverses() throws {
        let environment = try ReverseText(options: [:])
        for index in 0..<200 {
            let task = try environment.task(seed: 0, index: UInt64(index), split: .train)
            #expect((4...7).contains(task.prompt.count))
            #expect(String(task.prompt.dropLast().reversed()) == task.answer)
        }
    }

    @Test(arguments: [
        ("3*8+5", 1.0), ("5+8*3", 1), ("(5)+3*8", 1), ("3*8", 0), ("3*8+5+0", 0), ("8*3+4", 0), ("3*8+5)", 0),
        ("3*(8+5)", 0), ("29", 0), ("", 0), ("3**8+5", 0), ("-3*8+5", 0), ("3*8+5 ", 0),
        ("((((((((((((((((((((((((((((((((", 0),
    ])
    func countdownAcceptsEveryWayThere(_ answer: String, _ score: Double) throws {
        let environment = try Countdown(options: [:])
        let task = EnvironmentTask(id: "t", prompt: "358=29>", answer: "3*8+5")
        #expect(try environment.score(completion: Array(answer.utf8), finished: true, of: task) == score)
    }

    @Test func aBrokenTaskIsAFaultOfTheGraderAndNoZero() throws {
        let task = EnvironmentTask(id: "t", prompt: "what?", answer: nil)
        #expect(throws: EnvironmentError.self) {
            try Countdown(options: [:]).score(completion: [], finished: true, of: task)
        }
        #expect(throws: EnvironmentError.self) {
            try DigitSort(options: [:]).score(completion: [], finished: true, of: task)
        }
    }
}
