import Testing

@testable import Tokenizers

/// Text made to be slow: what takes a second here would take days in a naive program.
@Suite("Long texts")
struct LongTextTests {
    @Test("a word of a million letters", arguments: Fixture.families)
    func longWord(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        for unit in ["a", "the", "ab", "漢", "\u{301}", " ", "\n", "▁", "'", "1", "<"] {
            let text = String(repeating: unit, count: 250_000 / unit.utf8.count)
            let tokens = tokenizer.encode(text)
            #expect(!tokens.isEmpty)
        }
    }

    @Test("a long word gives what its scanned and its heaped merges give alike")
    func scanAndHeapAgree() throws {
        let tokenizer = try Fixture.tokenizer("gpt2")
        // Letters only: one word, whose prefixes go the other way.
        let letters = Array("thecatsatonthematandthetokensoftheswarmweretrainedbythetrainerwiththeweights".utf8)
        for count in 60..<letters.count {
            let word = Array(letters[..<count])
            // The same merges by the plainest rule there is.
            #expect(tokenizer.encode(bytes: word) == naive(word, tokenizer), "\(count) letters")
        }
    }

    private func naive(_ word: [UInt8], _ tokenizer: BytePairTokenizer) -> [Int32] {
        var symbols: [Int32] = []
        symbols = word.compactMap { tokenizer.token(named: String(decoding: ByteAlphabet.sign(of: $0), as: UTF8.self)) }
        let merges = tokenizer.model.merges
        while true {
            var best: (rank: UInt64, place: Int)?
            for place in symbols.indices.dropLast() {
                let value = merges.withView { $0.value(symbols[place], symbols[place + 1]) }
                if value < best?.rank ?? MergeTable.none { best = (value, place) }
            }
            guard let best else { return symbols }
            symbols[best.place] = Int32(truncatingIfNeeded: best.rank)
            symbols.remove(at: best.place + 1)
        }
    }

    @Test("calls from many threads at once give the same ids")
    func threads() async throws {
        let tokenizer = try Fixture.tokenizer("llama3")
        let lines = try #require(GoldenLines.shared)
        let texts = (0..<256).map(lines.line)
        let expected = texts.map { tokenizer.encode(bytes: $0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask { texts.map { tokenizer.encode(bytes: $0) } == expected }
            }
            for await same in group { #expect(same) }
        }
    }
}
