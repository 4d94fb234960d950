import Foundation
import Identity
import Sampling

/// What leased groups are judged by and no setting of the run file says: the content of files behind unchanged options.
///
/// A lease outlives a restart of the orchestrator. Under other prompts or other ids, its honest group would count as forged.
struct JudgingBasis: Equatable {
    /// A hash for each thing, by its name for people.
    let hashes: [String: Hash256]

    /// Slots whose prompts are compared: what changes a tokenizer or a template changes nearly every prompt.
    private static let slots: UInt64 = 64
    /// What beside the weights decides which ids a text has, and which ones end a completion.
    private static let files = [
        "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "merges.txt",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json", "config.json",
        "generation_config.json",
    ]

    init(hashes: [String: Hash256]) { self.hashes = hashes }

    /// The basis of a run whose model lies in a directory, or is a shape.
    ///
    /// - Throws: What the environment throws, or a ``PromptFailure``.
    init(_ context: RunContext, model: String?) throws {
        var prompts = SHA256()
        for slot in 0..<Self.slots {
            let tokens = try context.tasks.promptTokens(slot: slot)
            prompts.update(littleEndian: UInt32(clamping: tokens.count))
            for token in tokens { prompts.update(littleEndian: UInt32(bitPattern: token)) }
        }
        var hashes = [
            "the environment's tasks": context.environmentHash, "prompts": prompts.finalize(),
            "sampling": SHA256.hash([UInt8](try context.sampling.wire.serializedData())),
        ]
        for file in model == nil ? [] : Self.files {
            guard let model, let bytes = FileManager.default.contents(atPath: model + "/" + file) else { continue }
            hashes[file] = SHA256.hash([UInt8](bytes))
        }
        self.hashes = hashes
    }

    /// What is not as it was, in order of the names; a file that came or went too.
    func differences(from earlier: JudgingBasis) -> [String] {
        Set(hashes.keys).union(earlier.hashes.keys).filter { hashes[$0] != earlier.hashes[$0] }.sorted()
    }

    /// Refuses to go on where groups in flight would be judged by something else than they were made under.
    ///
    /// - Throws: A ``RoleFailure`` that names what differs.
    func check(against earlier: JudgingBasis, of directory: RunDirectory) throws {
        let changed = differences(from: earlier)
        guard !changed.isEmpty else { return }
        throw RoleFailure(
            .badInput,
            "Changed since the run in \(directory.root) began, behind the same settings: "
                + "\(changed.joined(separator: ", ")). Its workers' groups in flight would be judged by other prompts or "
                + "tokens than they were made with, and count as forged.",
            advice:
                "Put the dataset, the program's tasks or the model's files back as they were and go on by --resume, or begin "
                + "another run from its weights: --model.path \(directory.model) --run.directory OTHER.")
    }
}
