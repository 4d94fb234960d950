import Foundation
import Identity
import Messages
import Tokenizers

/// Every batch's rollouts as JSON lines, for people to read and for outsiders to re-check.
struct RolloutRecord: Sendable {
    private struct Line: Encodable {
        let prompt: String
        let completion: String
        let reward: Float
        let worker: String
        let verdict: String
        let tokens: [UInt32]
        let promptTokens: [UInt32]
        let logprobs: [Float]
        let version: UInt64
        let weightsHash: String
        let groupID: String
        let sample: Int
        /// What generated, where it was not the canonical arithmetic.
        let engine: String?
    }

    let directory: RunDirectory
    let tokenizer: any Tokenizer

    /// Writes `rollouts/step_NNNNNN/rollouts.jsonl`, of a further part `rollouts-2.jsonl` and so on; a redispatched batch
    /// writes the same again.
    func write(_ batch: Wire.Batch) throws {
        let folder = directory.rollouts(step: batch.step)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = Data()
        for group in batch.groups {
            // A prompt is shown with its markup; of a completion people want the text.
            let prompt = text(group.promptTokens, skippingSpecial: false)
            for (index, sample) in group.samples.enumerated() {
                data += try encoder.encode(
                    Line(
                        prompt: prompt, completion: text(sample.tokens, skippingSpecial: true), reward: sample.reward,
                        worker: Hexadecimal.encode(group.workerKey), verdict: Self.verdict(group),
                        tokens: sample.tokens,
                        promptTokens: group.promptTokens,
                        logprobs: sample.behaviourLogProbabilities.isEmpty
                            ? sample.reportedLogProbabilities : sample.behaviourLogProbabilities,
                        version: group.version.number, weightsHash: Hexadecimal.encode(group.version.weightsHash),
                        groupID: Hexadecimal.encode(group.groupID), sample: index,
                        engine: group.engine.isEmpty ? nil : group.engine))
                data.append(UInt8(ascii: "\n"))
            }
        }
        let name = batch.part == 0 ? "rollouts.jsonl" : "rollouts-\(batch.part + 1).jsonl"
        try data.write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    private static func verdict(_ group: Wire.TrainingGroup) -> String {
        if group.provisional { return "provisional" }
        // Nobody replayed it, but a later audit of its worker passed.
        return group.samples.contains { $0.behaviourLogProbabilities.isEmpty } ? "vested" : "accepted"
    }

    private func text(_ tokens: [UInt32], skippingSpecial: Bool) -> String {
        tokenizer.text(tokens.map(Int32.init(bitPattern:)), skippingSpecial: skippingSpecial)
    }
}
