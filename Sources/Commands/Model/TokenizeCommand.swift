import ArgumentParser
import JSON
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
        try LineFilter.run { line, number in
            if decode { return try bytes(of: line, number, tokenizer) }
            guard let template else { return Self.array(tokenizer.encode(bytes: line)) }
            do {
                return Self.array(tokenizer.encode(try template.text(line: line)))
            } catch {
                throw RoleFailure(.badInput, "Line \(number): \(error)")
            }
        }
    }

    /// A JSON array of ids.
    private static func array(_ tokens: [Int32]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(tokens.count * 6 + 2)
        text.append(UInt8(ascii: "["))
        for (index, token) in tokens.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: String(token).utf8)
        }
        text.append(UInt8(ascii: "]"))
        return text
    }

    /// The bytes that a line of ids stands for.
    private func bytes(of line: [UInt8], _ number: Int, _ tokenizer: any Tokenizer) throws -> [UInt8] {
        guard let elements = try? JSONValue.parse(line, maximumBytes: .max).array else {
            throw RoleFailure(.badInput, "Line \(number) is not a JSON array of token ids.")
        }
        let tokens = try elements.map { element in
            guard let token = element.integer, (0..<tokenizer.vocabularySize).contains(token) else {
                throw RoleFailure(
                    .badInput, "Line \(number): \(element.line.prefix(40)) is no token id.",
                    advice: "The ids of \(model) are from 0 to \(tokenizer.vocabularySize - 1).")
            }
            return Int32(token)
        }
        return tokenizer.decode(tokens)
    }
}
