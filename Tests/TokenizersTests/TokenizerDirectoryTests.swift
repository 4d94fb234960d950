import Foundation
import JSON
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

    private static let small = String(decoding: HostileFileTests.file(), as: UTF8.self)

    @Test("what is written is read again", arguments: [128, 256, 151_936])
    func roundTrip(size: Int) throws {
        let tokenizer = try #require(ByteLevelTokenizer(vocabularySize: size))
        try withDirectory(["tokenizer_config.json": TokenizerDirectory.configurationText(for: tokenizer)]) { path in
            let loaded = try #require(try TokenizerDirectory.load(path) as? ByteLevelTokenizer)
            #expect(loaded == tokenizer)
        }
    }

    @Test("a directory with a tokenizer.json only is enough")
    func tokenizerOnly() throws {
        try withDirectory(["tokenizer.json": Self.small]) { path in
            let tokenizer = try TokenizerDirectory.load(path)
            #expect(tokenizer.encode("abc<s>") == [4, 6])
            #expect(tokenizer.endOfSequence == nil && tokenizer.beginOfSequence == nil && tokenizer.padding == nil)
            #expect(tokenizer.specialTokens == [6])
            #expect(tokenizer.text([4, 6, 3], skippingSpecial: true) == "abc ab")
        }
    }

    @Test("the configuration names the tokens: as texts, as objects, or in the map of special tokens")
    func roles() throws {
        let files = [
            "tokenizer.json": Self.small,
            "tokenizer_config.json": #"{"bos_token": {"__type": "AddedToken", "content": "<s>"}, "eos_token": "abc"}"#,
            "special_tokens_map.json": #"{"pad_token": {"content": "<unk>"}, "eos_token": "a"}"#,
        ]
        try withDirectory(files) { path in
            let tokenizer = try TokenizerDirectory.load(path)
            #expect(tokenizer.beginOfSequence == 6)
            #expect(tokenizer.endOfSequence == 4)
            #expect(tokenizer.padding == 5)
            #expect(tokenizer.encodeWithSpecialTokens(bytes: Array("ab".utf8)) == [3])
        }
    }

    @Test(
        "add_bos_token and add_eos_token decide what is put around a text",
        arguments: [
            (#""add_bos_token": true"#, [6, 3]), (#""add_eos_token": true"#, [3, 4]),
            (#""add_bos_token": true, "add_eos_token": true"#, [6, 3, 4]), (#""add_bos_token": false"#, [3]),
            (#""add_bos_token": null"#, [3]),
        ] as [(String, [Int32])])
    func around(setting: String, expected: [Int32]) throws {
        let files = [
            "tokenizer.json": Self.small,
            "tokenizer_config.json": #"{"bos_token": "<s>", "eos_token": "abc", \#(setting)}"#,
        ]
        try withDirectory(files) { path in
            let tokenizer = try TokenizerDirectory.load(path)
            #expect(tokenizer.encodeWithSpecialTokens(bytes: Array("ab".utf8)) == expected)
            #expect(tokenizer.encode("ab") == [3])
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
            (["tokenizer.json": small, "tokenizer_config.json": #"{"eos_token": "missing"}"#], .malformed),
            (["tokenizer.json": small, "tokenizer_config.json": #"{"eos_token": 7}"#], .malformed),
            (["tokenizer.json": small, "tokenizer_config.json": "nonsense"], .malformed),
            (["tokenizer.json": small, "special_tokens_map.json": "[]"], .malformed),
            (
                [
                    "tokenizer.json": small,
                    "tokenizer_config.json": #"{"added_tokens_decoder": {"7": {"content": "<s>"}}}"#,
                ], .malformed
            ),
            (
                [
                    "tokenizer.json": small,
                    "tokenizer_config.json": #"{"added_tokens_decoder": {"x": {"content": "<s>"}}}"#,
                ],
                .malformed
            ),
        ] as [([String: String], TokenizerError.Code)])
    func refused(files: [String: String], code: TokenizerError.Code) throws {
        try withDirectory(files) { path in
            let error = #expect(throws: TokenizerError.self) { try TokenizerDirectory.load(path) }
            #expect(error?.code == code)
            #expect(error?.description.contains(path) == true)
        }
    }

    @Test("what is not a regular file is not read")
    func notAFile() throws {
        try withDirectory([:]) { path in
            try FileManager.default.createDirectory(
                atPath: "\(path)/tokenizer.json", withIntermediateDirectories: false)
            #expect(throws: TokenizerError.self) { try TokenizerDirectory.load(path) }
            #expect(throws: TokenizerError.self) { try TokenizerDirectory.companionFiles(path) }
        }
        try withDirectory([:]) { path in
            // Opening a pipe would wait for a writer for ever.
            #expect(mkfifo("\(path)/tokenizer.json", 0o600) == 0)
            #expect(throws: TokenizerError.self) { try TokenizerDirectory.load(path) }
        }
    }

    @Test("companion files are listed in a fixed order, through links, and nothing else is")
    func companions() throws {
        let files = [
            "tokenizer_config.json": "{}", "tokenizer.json": Self.small, "merges.txt": "#version: 0.2\n",
            "config.json": "{}",
            "chat_template.jinja": "{{ messages }}", "blob": "{}",
        ]
        try withDirectory(files) { path in
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/special_tokens_map.json", withDestinationPath: "blob")
            let companions = try TokenizerDirectory.companionFiles(path)
            #expect(
                companions.map(\.name) == [
                    "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json",
                    "merges.txt",
                ])
            for companion in companions where companion.name != "special_tokens_map.json" {
                #expect(try companion.read() == Array(try #require(files[companion.name]).utf8))
            }
        }
    }
}
