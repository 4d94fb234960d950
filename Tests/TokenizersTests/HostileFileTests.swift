import Foundation
import Fuzzing
import JSON
import Testing

@testable import Tokenizers

/// Files that strangers may have made, and files of other kinds: refused with a reason that names what is wrong.
@Suite("Hostile tokenizer files")
struct HostileFileTests {
    /// A small valid file, with one part replaced.
    static func file(_ part: String = "", _ text: String = "") -> [UInt8] {
        var parts: [(String, String)] = [
            ("version", #""1.0""#), ("truncation", "null"), ("padding", "null"),
            ("added_tokens", "[\(added(id: 6, "<s>"))]"), ("normalizer", "null"), ("pre_tokenizer", "null"),
            ("post_processor", "null"), ("decoder", "null"), ("model", model()),
        ]
        if let index = parts.firstIndex(where: { $0.0 == part }) {
            parts[index].1 = text
        } else if !part.isEmpty {
            parts.append((part, text))
        }
        return Array("{\(parts.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ","))}".utf8)
    }

    static func model(
        vocab: String = #"{"a":0,"b":1,"c":2,"ab":3,"abc":4,"<unk>":5}"#, merges: String = #"["a b","ab c"]"#,
        _ more: String = ""
    ) -> String {
        #"{"type":"BPE","vocab":\#(vocab),"merges":\#(merges)\#(more)}"#
    }

    static func added(id: Int, _ content: String, _ more: String = "") -> String {
        #"{"id":\#(id),"content":"\#(content)","single_word":false,"lstrip":false,"rstrip":false,"#
            + #""normalized":false,"special":true\#(more)}"#
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let code: TokenizerError.Code
        /// What the reason must say.
        let says: String
        var testDescription: String { name }

        init(_ name: String, _ code: TokenizerError.Code, _ says: String, _ bytes: [UInt8]) {
            self.name = name
            self.code = code
            self.says = says
            self.bytes = bytes
        }
    }

    static let malformed: [Case] = [
        Case("nothing", .malformed, "JSON", []),
        Case("a list", .malformed, "JSON", Array("[]".utf8)),
        Case("text after the end", .malformed, "after", file() + Array("{}".utf8)),
        Case("a part twice", .malformed, "twice", Array(#"{"version":"1.0","version":"1.0"}"#.utf8)),
        Case("no model", .malformed, "model", Array("{}".utf8)),
        Case("model null", .malformed, "model", file("model", "null")),
        Case("no vocabulary", .malformed, "vocab", file("model", #"{"type":"BPE","merges":[]}"#)),
        Case("no merges", .malformed, "merges", file("model", #"{"type":"BPE","vocab":{"a":0}}"#)),
        Case("a vocabulary that is a list", .malformed, "vocab", file("model", model(vocab: "[]", merges: "[]"))),
        Case("a token twice", .malformed, "twice", file("model", model(vocab: #"{"a":0,"a":1}"#, merges: "[]"))),
        Case(
            "a token twice by an escape", .malformed, "twice",
            file("model", model(vocab: #"{"a":0,"\u0061":1}"#, merges: "[]"))),
        Case("an id twice", .malformed, "twice", file("model", model(vocab: #"{"a":0,"b":0}"#, merges: "[]"))),
        Case("an id of 2^40", .malformed, "id", file("model", model(vocab: #"{"a":1099511627776}"#, merges: "[]"))),
        Case(
            "an id beyond 64 bits", .malformed, "number",
            file("model", model(vocab: #"{"a":99999999999999999999999}"#, merges: "[]"))),
        Case("an id below zero", .malformed, "number", file("model", model(vocab: #"{"a":-1}"#, merges: "[]"))),
        Case("an id with a fraction", .malformed, "number", file("model", model(vocab: #"{"a":1.0}"#, merges: "[]"))),
        Case("an id with a leading zero", .malformed, "zero", file("model", model(vocab: #"{"a":01}"#, merges: "[]"))),
        Case("an id that is a text", .malformed, "number", file("model", model(vocab: #"{"a":"0"}"#, merges: "[]"))),
        Case(
            "a token that is not UTF-8", .malformed, "UTF-8",
            file("model", model()).map { $0 == UInt8(ascii: "b") ? 0xFF : $0 }),
        Case(
            "half a surrogate pair", .malformed, "surrogate",
            file("model", model(vocab: #"{"\ud83d":0}"#, merges: "[]"))),
        Case("a merge of what is no token", .malformed, "\"z\"", file("model", model(merges: #"["a z"]"#))),
        Case("a merge into what is no token", .malformed, "\"ac\"", file("model", model(merges: #"["a c"]"#))),
        Case("a merge of one token", .malformed, "two tokens", file("model", model(merges: #"["ab"]"#))),
        Case("a merge of three tokens", .malformed, "two tokens", file("model", model(merges: #"["a b c"]"#))),
        Case("a merge of three in a list", .malformed, "expected", file("model", model(merges: #"[["a","b","c"]]"#))),
        Case("merges of both kinds", .malformed, "expected", file("model", model(merges: #"["a b",["ab","c"]]"#))),
        Case("an unknown token that is none", .malformed, "unk_token", file("model", model(#","unk_token":"?""#))),
        Case("a model setting twice", .malformed, "twice", file("model", model(#","fuse_unk":true,"fuse_unk":false"#))),
        Case("a flag that is a number", .malformed, "fuse_unk", file("model", model(#","fuse_unk":1"#))),
        Case(
            "an added token without content", .malformed, "content",
            file("added_tokens", "[\(added(id: 6, ""))]")),
        Case(
            "an added token without flags", .malformed, "special",
            file("added_tokens", #"[{"id":6,"content":"x"}]"#)),
        Case(
            "an added token twice", .malformed, "look the same",
            file("added_tokens", "[\(added(id: 6, "x")),\(added(id: 7, "x"))]")),
        Case(
            "two added tokens of one id", .malformed, "another added token",
            file("added_tokens", "[\(added(id: 6, "x")),\(added(id: 6, "y"))]")),
        Case(
            "an added token with the id of another", .malformed, "next free",
            file("added_tokens", "[\(added(id: 4, "x"))]")),
        Case(
            "a known token under another id", .malformed, "vocabulary has it",
            file("added_tokens", "[\(added(id: 6, "ab"))]")),
        Case("an added token far away", .malformed, "next free", file("added_tokens", "[\(added(id: 1000, "x"))]")),
        Case("an added token below zero", .malformed, "id", file("added_tokens", "[\(added(id: -1, "x"))]")),
        Case(
            "an added token of a megabyte", .malformed, "bytes",
            file("added_tokens", "[\(added(id: 6, String(repeating: "x", count: 1 << 20)))]")),
        Case(
            "an id around texts that no token has", .malformed, "post_processor",
            file(
                "post_processor",
                #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}},"#
                    + #"{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"x":{"id":"x","ids":[99],"tokens":["x"]}}}"#
            )),
        Case(
            "a template without a text", .malformed, "template",
            file("post_processor", #"{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}}"#)),
        Case(
            "a template of an unknown token", .malformed, "special_tokens",
            file(
                "post_processor",
                #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}}],"pair":[],"special_tokens":{}}"#
            )),
        Case(
            "normalizers nested a thousand deep", .malformed, "deep",
            file("normalizer", String(repeating: #"{"type":"Sequence","normalizers":["#, count: 1000))),
        Case(
            "a sign of two characters", .malformed, "one character",
            file("pre_tokenizer", #"{"type":"Metaspace","replacement":"__","prepend_scheme":"first"}"#)),
        Case(
            "a space in front and not", .malformed, "add_prefix_space",
            file(
                "pre_tokenizer",
                #"{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","add_prefix_space":false}"#)),
        Case(
            "a normalizer that doubles a text sixty times", .malformed, "times as long",
            file(
                "normalizer",
                #"{"type":"Sequence","normalizers":["#
                    + Array(repeating: #"{"type":"Replace","pattern":{"String":"a"},"content":"aa"}"#, count: 60)
                    .joined(separator: ",") + "]}")),
        Case(
            "a sequence of a thousand steps", .malformed, "1000 elements",
            file(
                "pre_tokenizer",
                #"{"type":"Sequence","pretokenizers":["#
                    + Array(repeating: #"{"type":"Digits","individual_digits":true}"#, count: 1000)
                    .joined(separator: ",") + "]}")),
        Case(
            "a null in a sequence of normalizers", .malformed, "null",
            file("normalizer", #"{"type":"Sequence","normalizers":[null]}"#)),
    ]

    static let unsupported: [Case] = [
        Case("Unigram", .unsupported, "Unigram", file("model", model().replacing("BPE", with: "Unigram"))),
        Case("WordPiece", .unsupported, "WordPiece", file("model", model().replacing("BPE", with: "WordPiece"))),
        Case("dropout", .unsupported, "dropout", file("model", model(#","dropout":0.1"#))),
        Case(
            "a subword prefix", .unsupported, "continuing_subword_prefix",
            file("model", model(#","continuing_subword_prefix":"@@""#))),
        Case(
            "a word suffix", .unsupported, "end_of_word_suffix", file("model", model(#","end_of_word_suffix":"</w>""#))),
        Case("an unknown setting", .unsupported, "max_input", file("model", model(#","max_input":3"#))),
        Case("an unknown part", .unsupported, "extras", file("extras", "{}")),
        Case("another version", .unsupported, "2.0", file("version", #""2.0""#)),
        Case("an unknown normalizer", .unsupported, "NFKC", file("normalizer", #"{"type":"NFKC"}"#)),
        Case(
            "a lowercasing normalizer", .unsupported, "Lowercase",
            file("normalizer", #"{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"}]}"#)),
        Case(
            "a normalizer by a pattern", .unsupported, #" {2,}"#,
            file("normalizer", #"{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}"#)),
        Case(
            "an unknown split pattern", .unsupported, #"\w+"#,
            file(
                "pre_tokenizer",
                #"{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated","invert":false}"#)),
        Case(
            "almost the pattern of Qwen2", .unsupported, #"\p{N}{1,2}"#,
            file("pre_tokenizer", splitting(digits: #"\\p{N}{1,2}"#))),
        Case(
            "an unknown behavior", .unsupported, "Merged",
            file("pre_tokenizer", #"{"type":"Split","pattern":{"String":"x"},"behavior":"Merged","invert":false}"#)),
        Case(
            "an empty pattern", .unsupported, "empty",
            file("pre_tokenizer", #"{"type":"Split","pattern":{"String":""},"behavior":"Isolated","invert":false}"#)),
        Case(
            "a step after bytes", .unsupported, "ByteLevel",
            file(
                "pre_tokenizer",
                #"{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true},"#
                    + #"{"type":"Digits","individual_digits":true}]}"#)),
        Case("an unknown pre-tokenizer", .unsupported, "Whitespace", file("pre_tokenizer", #"{"type":"Whitespace"}"#)),
        Case(
            "an unknown member", .unsupported, "extra",
            file("pre_tokenizer", #"{"type":"Digits","individual_digits":true,"extra":1}"#)),
        Case(
            "an unknown post-processor", .unsupported, "BertProcessing",
            file("post_processor", #"{"type":"BertProcessing","sep":["x",1],"cls":["y",2]}"#)),
        Case(
            "a text twice in a template", .unsupported, "place of the text",
            file(
                "post_processor",
                #"{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"#
                    + #""pair":[],"special_tokens":{}}"#)),
        Case(
            "an unknown decoder", .unsupported, "WordPiece",
            file("decoder", #"{"type":"WordPiece","prefix":"@@","cleanup":true}"#)),
        Case(
            "a decoder that makes tokens longer", .unsupported, "longer one",
            file("decoder", #"{"type":"Replace","pattern":{"String":"a"},"content":"bb"}"#)),
        Case(
            "a replacement that is searched for slowly", .malformed, "256 bytes",
            file(
                "decoder",
                #"{"type":"Replace","pattern":{"String":"\#(String(repeating: "a", count: 257))"},"content":""}"#)),
        Case(
            "a decoder that strips the end", .unsupported, "strips the end",
            file(
                "decoder",
                #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":" ","start":0,"stop":1}]}"#)),
        Case(
            "a replacement of the whole text", .unsupported, "Replace",
            file(
                "decoder",
                #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"a"},"content":"b"}]}"#
            )),
        Case(
            "byte tokens over bytes that are not all there", .unsupported, "byte_fallback",
            Array(
                String(decoding: file("model", model(#","byte_fallback":true"#)), as: UTF8.self)
                    .replacing(
                        #""pre_tokenizer":null"#,
                        with: #""pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}"#
                    ).utf8)),
    ]

    private static func splitting(digits: String) -> String {
        #"{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\#(digits)| "#
            + #"?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false}"#
    }

    @Test("a refusal says what is wrong, and where", arguments: malformed + unsupported)
    func refused(file: Case) {
        let error = #expect(throws: TokenizerError.self) {
            try TokenizerFile.read(file.bytes, path: "/x/tokenizer.json")
        }
        #expect(error?.code == file.code)
        #expect(error?.description.hasPrefix("/x/tokenizer.json: ") == true)
        #expect(error?.description.contains(file.says) == true, "\(error?.description ?? "")")
    }

    @Test("the file that the others are made from is fine, and so are old and bare ones")
    func accepted() throws {
        let tokenizer = try TokenizerFile.read(Self.file(), path: "x")
        #expect(tokenizer.encode("abc<s>ab") == [4, 6, 3])
        #expect(tokenizer.encode(plain: Array("abc<s>ab".utf8)) == [4, 3])
        #expect(tokenizer.vocabularySize == 7)
        // The merges may stand before the vocabulary, as pairs, and the type may be missing.
        let old = #"{"model":{"merges":[["a","b"]],"vocab":{"a":5,"b":1,"ab":9}}}"#
        let bare = try TokenizerFile.read(Array(old.utf8), path: "x")
        #expect(bare.encode("aab") == [5, 9])
        #expect(bare.vocabularySize == 10)
        #expect(bare.bytes(of: 2) == nil && bare.text([5, 2, 9]) == "a ab")
        let versioned = Self.file("model", Self.model(merges: ##"["#version: 0.2","a b","ab c"]"##))
        #expect(try TokenizerFile.read(versioned, path: "x").encode("abc") == [4])
    }

    @Test("texts that differ in normal form only are two tokens")
    func canonicallyEqualTokens() throws {
        let vocab = #"{"é":0,"e":1,"\#u{301}":2,"e\#u{301}":3}"#
        let file = Self.file("model", Self.model(vocab: vocab, merges: #"["e \#u{301}"]"#))
        let tokenizer = try TokenizerFile.read(
            Array(String(decoding: file, as: UTF8.self).replacing(#""id":6"#, with: #""id":4"#).utf8), path: "x")
        #expect(tokenizer.encode("\u{E9}") == [0])
        #expect(tokenizer.encode("e\u{301}") == [3])
        #expect(tokenizer.token(named: "\u{E9}") == 0 && tokenizer.token(named: "e\u{301}") == 3)
    }

    @Test("a mutated file is refused with a reason, or gives a tokenizer that works")
    func mutations() async throws {
        let small = try ["odd-pieces", "odd-bytes", "llama3"].map { name -> [UInt8] in
            // Few tokens, so that most changes meet the structure.
            let value = try Fixture.json(name)
            guard var object = value.object, var model = value["model"]?.object else { return [] }
            let kept = (model["vocab"]?.object ?? JSONObject()).prefix(300)
            model["vocab"] = .object(JSONObject(Array(kept)))
            model["merges"] = []
            object["model"] = .object(model)
            object["added_tokens"] = []
            object["post_processor"] = .null
            return Array(JSONValue.object(object).line.utf8)
        }
        let seeds = small + small + (0..<6).map { _ in Self.file() } + Self.unsupported.prefix(4).map(\.bytes)
        let words = [
            "\"type\"", "\"Sequence\"", "null", "[]", "{}", "\"ByteLevel\"", "4194304", "-1", "\\u0000", "\\ud83d",
            "1e99",
        ]
        let text = GoldenLines.shared?.line(7) ?? []
        var accepted = 0
        try await Fuzz.run(atLeast: 10_000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = Mutation.mutate(seeds, words: words, using: &generator)
            let tokenizer: BytePairTokenizer
            do {
                tokenizer = try TokenizerFile.read(bytes, path: "fuzz")
            } catch {
                try #require(error is TokenizerError, "APUS_FUZZ_SEED=\(seed): \(error)")
                return
            }
            accepted += 1
            let tokens = tokenizer.encode(bytes: text)
            try #require(
                tokens.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabularySize && tokenizer.bytes(of: $0) != nil },
                "APUS_FUZZ_SEED=\(seed)")
            _ = tokenizer.text(tokenizer.encodeWithSpecialTokens(bytes: text))
        }
        #expect(accepted > 60 || !Fuzz.isBounded, "only \(accepted) accepted")
    }

    @Test("every truncation of a file is refused")
    func truncations() {
        let file = Self.file()
        for count in 0..<file.count {
            #expect(throws: TokenizerError.self) { try TokenizerFile.read(Array(file.prefix(count)), path: "x") }
        }
    }
}
