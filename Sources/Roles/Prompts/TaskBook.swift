import EnvironmentKit
import Identity
import Synchronization

/// Which task stands in which slot, and its prompt in tokens.
///
/// A slot's task follows from the run secret alone, so a restarted orchestrator finds the same one, and nobody outside
/// can know a prompt before its lease.
final class TaskBook: Sendable {
    /// A slot's task and the tokens that workers get.
    struct Entry: Sendable {
        let task: EnvironmentTask
        let promptTokens: [Int32]
    }

    /// What becomes of prompts that are too long.
    struct PromptRule: Sendable {
        /// The longest prompt.
        let limit: Int
        /// Another task takes the slot, instead of an error.
        let skipsLong: Bool
    }

    let environment: any Environment
    let prompts: PromptEncoder
    let rule: PromptRule
    private let seed: UInt64
    private let cache = Mutex(Cache())

    /// Slots in production and in the batches to come are far fewer.
    private static let cachedSlots = 4096
    /// Tasks that are tried for one slot where long ones are skipped.
    private static let attempts: UInt64 = 256

    private struct Cache {
        var entries: [UInt64: Entry] = [:]
        var order: [UInt64] = []
    }

    init(environment: any Environment, prompts: PromptEncoder, rule: PromptRule, secret: [UInt8]) {
        self.environment = environment
        self.prompts = prompts
        self.rule = rule
        var hash = SHA256()
        hash.update(utf8: "apus/tasks/v1")
        hash.update(secret)
        seed = hash.finalize().withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    /// The task of a slot with its prompt.
    ///
    /// - Throws: A ``PromptFailure`` that names the task, or what the environment throws.
    func entry(slot: UInt64) throws -> Entry {
        if let known = cache.withLock({ $0.entries[slot] }) { return known }
        let entry = try draw(slot)
        cache.withLock { cache in
            guard cache.entries.updateValue(entry, forKey: slot) == nil else { return }
            cache.order.append(slot)
            if cache.order.count > 2 * Self.cachedSlots {
                for old in cache.order.prefix(Self.cachedSlots) { cache.entries[old] = nil }
                cache.order.removeFirst(Self.cachedSlots)
            }
        }
        return entry
    }

    func promptTokens(slot: UInt64) throws -> [Int32] { try entry(slot: slot).promptTokens }

    /// The first task of the slot's sequence whose prompt can be used: a pure function of the run's secret.
    private func draw(_ slot: UInt64) throws -> Entry {
        var attempt: UInt64 = 0
        while true {
            let task = try environment.task(seed: seed &+ attempt &* 0x9E37_79B9_7F4A_7C15, index: slot, split: .train)
            do throws(PromptFailure) {
                return Entry(task: task, promptTokens: try prompts.tokens(of: task, limit: rule.limit))
            } catch {
                attempt += 1
                guard rule.skipsLong, error.kind == .tooLong, attempt < Self.attempts else { throw error }
            }
        }
    }

    /// The lab's reward for one completion, from its token ids and nothing else.
    ///
    /// The stop token is left out, and special tokens within the completion are no text.
    ///
    /// - Throws: When the grader fails; that is never a reward of 0.
    func reward(slot: UInt64, tokens: [Int32], stopTokens: Set<Int32>) async throws -> Double {
        let finished = tokens.last.map(stopTokens.contains) ?? false
        let text = prompts.tokenizer.decode(finished ? Array(tokens.dropLast()) : tokens, skippingSpecial: true)
        return try await environment.score(completion: text, finished: finished, of: try entry(slot: slot).task)
    }
}
