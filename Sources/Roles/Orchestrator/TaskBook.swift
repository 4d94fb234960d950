import EnvironmentKit
import Identity
import Tokenizers

/// Which task stands in which slot.
///
/// A slot's task follows from the run secret alone, so a restarted orchestrator finds the same one, and nobody outside
/// can know a prompt before its lease.
struct TaskBook: Sendable {
    let environment: any Environment
    let tokenizer: any Tokenizer
    private let seed: UInt64

    init(environment: any Environment, tokenizer: any Tokenizer, secret: [UInt8]) {
        self.environment = environment
        self.tokenizer = tokenizer
        var hash = SHA256()
        hash.update(utf8: "apus/tasks/v1")
        hash.update(secret)
        seed = hash.finalize().withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    func task(slot: UInt64) throws -> EnvironmentTask {
        try environment.task(seed: seed, index: slot, split: .train)
    }

    func promptTokens(slot: UInt64) throws -> [Int32] {
        tokenizer.encode(try task(slot: slot).prompt)
    }

    /// The lab's reward for one completion, from its token ids and nothing else.
    ///
    /// - Throws: When the grader fails; that is never a reward of 0.
    func reward(slot: UInt64, tokens: [Int32], stopTokens: Set<Int32>) async throws -> Double {
        let finished = tokens.last.map(stopTokens.contains) ?? false
        let text = tokenizer.decode(finished ? Array(tokens.dropLast()) : tokens)
        return try await environment.score(completion: text, finished: finished, of: try task(slot: slot))
    }
}
