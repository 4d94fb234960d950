import EnvironmentKit
import Foundation
import Synchronization
import Testing
import Tokenizers
import Transformer

@testable import Roles

/// Scores as it is told to: the answer's text says how.
private struct MoodyEnvironment: Environment {
    static let id = "moody"
    static let summary = "For tests."
    let options: EnvironmentOptions = [:]
    let maximumCompletionTokens = 8
    let concurrentScores = 2
    let failures = Failures()

    final class Failures: Sendable {
        let left = Mutex(2)
    }

    init() {}
    init(options: EnvironmentOptions) throws {}

    func task(seed: UInt64, index: UInt64, split: Split) throws -> EnvironmentTask {
        EnvironmentTask(id: "train/\(seed)/\(index)", prompt: "p")
    }

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) async throws -> Double {
        switch String(decoding: completion, as: UTF8.self) {
        case "hang":
            try await Task.sleep(for: .seconds(3600))
            return 1
        case "block":
            // A scorer that blocks its thread, as one that computes does.
            usleep(300_000)
            return 0.25
        case "stuck":
            usleep(1_500_000)
            return 1
        case "huge": return 1e39
        case "recovers":
            let isDown = failures.left.withLock { left in
                left -= 1
                return left >= 0
            }
            if isDown { throw EnvironmentError(.program, at: "moody", "it is down") }
            return 0.5
        case "broken": throw EnvironmentError(.grader, at: "moody", "it cannot judge this")
        case "wild": return .nan
        default: return 1
        }
    }
}

@Suite("Scoring beside the orchestrator's turn")
struct ScoringDeskTests {
    private final class Results: Sendable {
        let byAudit = Mutex<[UInt64: ScoringDesk.Result]>([:])
    }

    private func book() throws -> TaskBook {
        let bytes = try #require(ByteLevelTokenizer(vocabularySize: 256))
        let encoder = PromptEncoder(
            tokenizer: bytes, configuration: try #require(ModelShape(rawValue: "tiny")).configuration, place: "test")
        return TaskBook(
            environment: MoodyEnvironment(), prompts: encoder, rule: .init(limit: 100, skipsLong: false), secret: [])
    }

    /// Scores completions, one group each, and waits for all results.
    private func score(_ groups: [[String]], timeout: Duration = .seconds(60)) async throws -> [ScoringDesk.Result?] {
        let results = Results()
        let book = try book()
        let desk = ScoringDesk(tasks: book, stopTokens: [10], timeout: timeout) { subject, result in
            guard case .audit(let audit) = subject else { return }
            results.byAudit.withLock { $0[audit] = result }
        }
        for (index, texts) in groups.enumerated() {
            desk.begin(
                ScoringDesk.Job(
                    subject: .audit(UInt64(index)), slot: 0,
                    completions: texts.map { book.prompts.tokenizer.encode($0) + [10] }))
        }
        while results.byAudit.withLock({ $0.count }) < groups.count { try await Task.sleep(for: .milliseconds(2)) }
        desk.stop()
        return results.byAudit.withLock { all in groups.indices.map { all[UInt64($0)] } }
    }

    @Test("Every group gets its rewards, more groups than run at once too", .timeLimit(.minutes(1)))
    func rewards() async throws {
        let results = try await score(Array(repeating: ["fine", "block"], count: 7))
        #expect(results.allSatisfy { $0 == .rewards([1, 0.25]) })
    }

    @Test("A grader that fails is asked again, and its failure is no reward of 0", .timeLimit(.minutes(1)))
    func failures() async throws {
        let results = try await score([["recovers"], ["fine", "broken"], ["wild"], ["fine"], ["huge"]])
        #expect(results[0] == .rewards([0.5]))
        #expect(results[3] == .rewards([1]))
        for index in [1, 2, 4] {
            guard case .fault? = results[index] else {
                Issue.record("group \(index) was scored")
                continue
            }
        }
    }

    @Test("A grader that hangs costs its own group only", .timeLimit(.minutes(1)))
    func hangs() async throws {
        let results = try await score([["hang"], ["fine"], ["fine"], ["hang"], ["fine"]], timeout: .milliseconds(300))
        #expect(results[1] == .rewards([1]) && results[2] == .rewards([1]) && results[4] == .rewards([1]))
        guard case .fault(let reason)? = results[0] else {
            Issue.record("a hanging grader gave a result")
            return
        }
        #expect(reason.contains("within"))
    }

    @Test("Graders that keep their threads do not keep the others from theirs", .timeLimit(.minutes(1)))
    func stuck() async throws {
        let width = MoodyEnvironment().concurrentScores
        let results = try await score(
            Array(repeating: ["stuck"], count: width) + Array(repeating: ["fine"], count: 3),
            timeout: .milliseconds(300))
        #expect(results.suffix(3).allSatisfy { $0 == .rewards([1]) })
    }
}
