import Foundation
import Testing

@testable import Tokenizers

@Suite("Tokenizer directory")
struct TokenizerDirectoryTests {
    private func withDirectory(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "apus-tokenizer-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
        try body(path)
    }

    @Test("what is written is read again", arguments: [128, 256, 151_936])
    func roundTrip(size: Int) throws {
        let tokenizer = try #require(ByteLevelTokenizer(vocabularySize: size))
        try withDirectory(["tokenizer_config.json": TokenizerDirectory.configurationText(for: tokenizer)]) { path in
            let loaded = try #require(try TokenizerDirectory.load(path) as? ByteLevelTokenizer)
            #expect(loaded == tokenizer)
        }
    }

    @Test(
        "bad directories are refused with the reason",
        arguments: [
            ([:], TokenizerError.Code.missing),
            (["tokenizer.json": "{}"], .malformed),
            (["tokenizer_config.json": #"{"tokenizer_class": "Qwen2Tokenizer"}"#], .missing),
            (["tokenizer_config.json": "{}"], .missing),
            (["tokenizer_config.json": "[]"], .malformed),
            (["tokenizer_config.json": "{"], .malformed),
            (["tokenizer_config.json": #"{"tokenizer_class": "ApusByteTokenizer"}"#], .malformed),
            (["tokenizer_config.json": #"{"tokenizer_class": "ApusByteTokenizer", "vocab_size": 64}"#], .malformed),
            (["tokenizer_config.json": #"{"tokenizer_class": "ApusByteTokenizer", "vocab_size": 200.5}"#], .malformed),
            (["tokenizer_config.json": #"{"tokenizer_class": "ApusByteTokenizer", "vocab_size": 1e300}"#], .malformed),
            (["tokenizer_config.json": #"{"tokenizer_class": "ApusByteTokenizer", "vocab_size": "256"}"#], .malformed),
        ] as [([String: String], TokenizerError.Code)])
    func refused(files: [String: String], code: TokenizerError.Code) throws {
        try withDirectory(files) { path in
            let error = #expect(throws: TokenizerError.self) { try TokenizerDirectory.load(path) }
            #expect(error?.code == code)
            #expect(error?.description.contains(path) == true)
        }
    }
}
