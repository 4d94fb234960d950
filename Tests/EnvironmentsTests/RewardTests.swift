import EnvironmentKit
import Testing

@testable import Rewards

struct RewardTests {
    static let task = EnvironmentTask(id: "t", prompt: "?", answer: "42")

    static func reward(_ id: String, _ options: EnvironmentOptions = [:]) throws -> any Reward {
        try #require(allRewards.first { $0.id == id }).init(options: options)
    }

    @Test(arguments: [
        ("exact-match", "42", 1.0), ("exact-match", "42\n", 1), ("exact-match", " 42", 0), ("exact-match", "", 0),
        ("numeric-match", "6*7 = 42", 1), ("numeric-match", "42.0", 1), ("numeric-match", "it is -42", 0),
        ("numeric-match", "forty-two", 0), ("numeric-match", "43", 0), ("numeric-match", "0,042", 1),
        ("tagged-answer", "so <answer> 42 </answer>", 1), ("tagged-answer", "<answer>1</answer><answer>42</answer>", 1),
        ("tagged-answer", "<answer>42</answer><answer></answer>", 0), ("tagged-answer", "<answer>42", 0),
        ("tagged-answer", "42</answer>", 0), ("tagged-answer", "</answer><answer>42", 0), ("tagged-answer", "42", 0),
        ("edit-similarity", "42", 1), ("edit-similarity", "43", 0.5), ("edit-similarity", "", 0),
        ("edit-similarity", "4242", 0.5),
    ])
    func judges(_ id: String, _ completion: String, _ score: Double) async throws {
        let reward = try Self.reward(id)
        #expect(try await reward.score(completion: Array(completion.utf8), finished: true, of: Self.task) == score)
    }

    @Test(arguments: allRewards.map { $0.id })
    func keepsTheRules(_ id: String) async throws {
        let reward = try Self.reward(id)
        // Unfinished is never right.
        #expect(
            try await reward.score(completion: Array("<answer>42</answer>".utf8), finished: false, of: Self.task) == 0)
        for hostile in [[UInt8](repeating: 0x34, count: 1 << 20), [0xFF, 0x00, 0xC0], []] {
            let score = try await reward.score(completion: hostile, finished: true, of: Self.task)
            #expect((0..<1).contains(score))
        }
        // A task without an answer is a fault of the lab, not of the policy.
        await #expect(throws: EnvironmentError.self) {
            try await reward.score(completion: [], finished: true, of: EnvironmentTask(id: "t", prompt: "?"))
        }
        #expect(throws: EnvironmentError.self) { try Self.reward(id, ["colour": 1]) }
    }

    @Test func optionsCount() async throws {
        let spaced = Array(" 42 ".utf8)
        #expect(
            try await Self.reward("exact-match", ["trim": true]).score(
                completion: spaced, finished: true, of: Self.task) == 1)
        let near = Array("42.3".utf8)
        #expect(
            try await Self.reward("numeric-match", ["tolerance": 0.01]).score(
                completion: near, finished: true, of: Self.task) == 1)
        let tagged = Array("<r>42</r>".utf8)
        #expect(
            try await Self.reward("tagged-answer", ["tag": "r"]).score(
                completion: tagged, finished: true, of: Self.task) == 1)
    }
}
