import EnvironmentKit
import Foundation
import JSON
import Transformer

@testable import Roles

/// A complete Hugging Face directory that `transformers` wrote (scripts/make-real-model.py --shape tiny).
enum Fixture {
    static let root = Bundle.module.resourcePath ?? "."
    /// A qwen3 of 60 kB with a byte-level BPE, a chat template and two stop tokens.
    static let model = root + "/Fixtures/real"
    /// Forty rows, most of them messages.
    static let dataset = root + "/Fixtures/chat.jsonl"

    static func encoder() throws -> PromptEncoder {
        try PromptEncoder(directory: model, configuration: ModelDirectory.configuration(at: model))
    }

    /// The prompts of prompts.jsonl with the ids that `transformers` gives them.
    static func prompts() throws -> [(prompt: JSONValue, ids: [Int32])] {
        let text = try String(contentsOfFile: root + "/Fixtures/prompts.jsonl", encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let value = try JSONValue.parse(String(line))
            return (value, (value["ids"]?.array ?? []).compactMap { $0.integer.flatMap(Int32.init(exactly:)) })
        }
    }

    static func dataset(_ more: EnvironmentOptions = [:]) throws -> DatasetEnvironment {
        var options: EnvironmentOptions = ["path": .string(dataset)]
        options.merge(more) { $1 }
        return try DatasetEnvironment(options: options)
    }
}
