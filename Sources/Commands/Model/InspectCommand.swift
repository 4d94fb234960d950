import ArgumentParser
import ChatTemplates
import Foundation
import JSON
import Tensors
import Tokenizers
import Transformer

extension ModelCommand {
    /// `apus model inspect`.
    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Family, sizes, dtype, weights hash, and the memory that generation and training need.",
            discussion: """
                Memory is predicted, within about 10 % of what Linux counts. Shared memory holds the weights once for all \
                processes of this machine that use them; private memory is each process's own.

                  apus model inspect runs/demo/model --sequences 16 --positions 2048
                """)

        @Argument(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir"))
        var directory: String

        @Option(parsing: .unconditional, help: "Sequences at once, for the estimate of generation.")
        var sequences: Int = 64

        @Option(parsing: .unconditional, help: "Tokens of prompt and completion together.")
        var positions: Int = 1024

        @Option(parsing: .unconditional, help: "Tokens of a micro-batch, for the estimate of training.")
        var tokens: Int = 2048

        @Flag(help: "One JSON object instead of text.")
        var json = false

        @OptionGroup var compute: ComputeOptions

        func validate() throws {
            for (name, value) in [("--sequences", sequences), ("--positions", positions), ("--tokens", tokens)]
            where !(1...(1 << 24)).contains(value) {
                throw ValidationError("\(name) must be from 1 to \(1 << 24).")
            }
        }

        func run() async throws {
            let model = try ModelDirectory(opening: directory)
            let report = InspectionReport(
                model: model, weightsHash: try model.weightsHash(kernels: try compute.kernels()).hex,
                tokenizer: Companion.tokenizer(directory), chatTemplate: Companion.chatTemplate(directory),
                request: .init(
                    sequences: sequences, positions: positions, tokens: tokens, threads: compute.threadCount))
            Output.text(json ? report.json.line : report.text)
        }
    }
}

/// Something beside the weights that is there and readable, is not there, or cannot be used.
enum Companion {
    case readable(String)
    case absent
    case unusable(String)

    static func tokenizer(_ directory: String) -> Companion {
        do throws(TokenizerError) {
            let tokenizer = try TokenizerDirectory.load(directory)
            let kind = tokenizer is ByteLevelTokenizer ? "built-in, by bytes" : TokenizerDirectory.tokenizerName
            return .readable("\(kind), \(tokenizer.vocabularySize) ids, \(tokenizer.specialTokens.count) special")
        } catch {
            return .unusable("\(error)")
        }
    }

    static func chatTemplate(_ directory: String) -> Companion {
        do throws(TemplateError) {
            return try ChatTemplate.load(directory: directory) == nil ? .absent : .readable("yes")
        } catch {
            return .unusable("\(error)")
        }
    }

    var text: String {
        switch self {
        case .readable(let what): what
        case .absent: "none"
        case .unusable(let reason): "not usable: \(reason)"
        }
    }

    var json: JSONValue {
        switch self {
        case .readable(let what): ["readable": true, "description": .string(what)]
        case .absent: .null
        case .unusable(let reason): ["readable": false, "description": .string(reason)]
        }
    }
}
