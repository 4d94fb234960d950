import Fuzzing
import Testing

@testable import Tokenizers

@Suite("Streaming decode")
struct StreamDecoderTests {
    private func streamed(_ tokens: [Int32], _ tokenizer: any Tokenizer, cuts: [Int], skipping: Bool) -> [String] {
        var decoder = StreamDecoder(tokenizer, skippingSpecial: skipping)
        var parts: [String] = []
        var start = 0
        for cut in cuts + [tokens.count] {
            parts.append(decoder.append(Array(tokens[start..<cut])))
            start = cut
        }
        parts.append(decoder.finish())
        return parts
    }

    @Test("text that was encoded comes back the same at every cut", arguments: Fixture.families)
    func everyCut(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let lines = try #require(GoldenLines.shared)
        for index in 0..<200 {
            let tokens = tokenizer.encode(bytes: lines.line(index))
            let whole = tokenizer.text(tokens)
            for cut in 0...tokens.count {
                let parts = streamed(tokens, tokenizer, cuts: [cut], skipping: false)
                #expect(parts.joined().utf8.elementsEqual(whole.utf8), "line \(index), cut \(cut)")
            }
            // One id at a time, and nothing that is not a whole character unless the whole has it too.
            let parts = streamed(tokens, tokenizer, cuts: Array(0..<tokens.count), skipping: false)
            #expect(parts.joined().utf8.elementsEqual(whole.utf8), "line \(index)")
            if !whole.unicodeScalars.contains("\u{FFFD}") {
                #expect(!parts.contains { $0.unicodeScalars.contains("\u{FFFD}") }, "line \(index)")
            }
        }
    }

    @Test("random ids, broken characters included, come out as the whole would", arguments: Fixture.families)
    func randomIdentifiers(family: String) async throws {
        let tokenizer = try Fixture.tokenizer(family)
        try await Fuzz.run(atLeast: 2000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let count = Int.random(in: 1...24, using: &generator)
            let tokens = (0..<count).map { _ in
                Int32.random(in: -2...Int32(tokenizer.vocabularySize + 2), using: &generator)
            }
            let cuts = (0..<count).filter { _ in Bool.random(using: &generator) }
            let skipping = Bool.random(using: &generator)
            let whole = tokenizer.text(tokens, skippingSpecial: skipping)
            let parts = streamed(tokens, tokenizer, cuts: cuts, skipping: skipping)
            try #require(parts.joined().utf8.elementsEqual(whole.utf8), "APUS_FUZZ_SEED=\(seed)")
        }
    }

    @Test("the built-in tokenizer holds a character back until it is complete")
    func byteLevel() {
        var decoder = StreamDecoder(ByteLevelTokenizer.bytes)
        #expect(decoder.append([0x61, 0xF0, 0x9F]) == "a")
        #expect(decoder.append([0x90]) == "")
        #expect(decoder.append([0xA6, 0x62]) == "🐦b")
        #expect(decoder.append([0xE2, 0x82]) == "")
        #expect(decoder.finish() == "\u{FFFD}")
        #expect(decoder.append([0xC3, 0x28]) == "\u{FFFD}(")
        #expect(decoder.append([0xED, 0xA0]) == "\u{FFFD}\u{FFFD}")
    }

    @Test("byte tokens wait until the character is whole, and the first space is cut once")
    func byteFallback() throws {
        let tokenizer = try Fixture.tokenizer("mistral")
        func byte(_ value: UInt8) throws -> Int32 {
            try #require(tokenizer.token(named: SymbolAlphabet.fallbackToken(value)))
        }
        var decoder = StreamDecoder(tokenizer)
        let space = try #require(tokenizer.token(named: "▁"))
        #expect(decoder.append([space]) == "")
        #expect(decoder.append([space]) == " ")
        #expect(decoder.append([try byte(0xF0), try byte(0x9F)]) == "")
        #expect(decoder.append([try byte(0x90), try byte(0xA6)]) == "")
        #expect(decoder.append([space]) == "🐦 ")
        #expect(decoder.append([try byte(0xE2), try byte(0x82)]) == "")
        #expect(decoder.finish() == "\u{FFFD}\u{FFFD}")
    }
}
