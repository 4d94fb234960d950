import ArgumentParser
import Foundation
import Roles
import Tokenizers

/// `apus tokenize`.
struct TokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Text to token ids, line by line, or back with --decode.",
        discussion: """
            Reads standard input, split at newlines only; writes one JSON array per line. Adds no special tokens; those \
            written in the text become their ids. With --chat a line is a JSON array of messages, or an object \
            {"messages": […], "tools": […]}, and the ids are those of the template's text up to the assistant's turn.

              echo '3142>' | apus tokenize --model runs/demo/model
              echo '[{"role": "user", "content": "Hi"}]' | apus tokenize --model DIR --chat
            """)

    @Option(help: ArgumentHelp("A directory with a tokenizer.", valueName: "dir"))
    var model: String

    @Flag(help: "Read JSON arrays of ids and write text.")
    var decode = false

    @Flag(help: "Apply the model's chat template.")
    var chat = false

    func validate() throws {
        if decode, chat { throw ValidationError("--decode and --chat exclude each other.") }
    }

    func run() async throws {
        let tokenizer = try TokenizerDirectory.load(model)
        let template = chat ? try ChatText(directory: model) : nil
        var number = 0
        let input = FileHandle.standardInput.readDataToEndOfFile()
        let isTerminated = input.last == UInt8(ascii: "\n")
        let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for line in isTerminated ? lines.dropLast() : lines[...] {
            number += 1
            if decode {
                guard let ids = try? JSONDecoder().decode([Int32].self, from: Data(line)) else {
                    throw RoleFailure(.badInput, "Line \(number) is not a JSON array of token ids.")
                }
                FileHandle.standardOutput.write(Data(tokenizer.decode(ids)) + Data("\n".utf8))
            } else {
                let ids: [Int32]
                do {
                    ids = try template.map { tokenizer.encode(try $0.text(line: [UInt8](line))) }
                        ?? tokenizer.encode(bytes: [UInt8](line))
                } catch {
                    throw RoleFailure(.badInput, "Line \(number): \(error)")
                }
                Output.text("[" + ids.map(String.init).joined(separator: ",") + "]")
            }
        }
    }
}
