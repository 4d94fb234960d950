import Fuzzing
import JSON
import Testing

@testable import Tokenizers

/// Every family against what the `tokenizers` package makes of the same text.
@Suite("Golden tokenizers")
struct GoldenTests {
    private func ids(_ value: JSONValue?) -> [Int32]? { value?.array?.compactMap(\.integer).map(Int32.init) }

    @Test("examples, in full", arguments: Fixture.families)
    func examples(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        for example in try #require(try Fixture.golden(family)["examples"]?.array) {
            let text = try #require(example["text"]?.string)
            let tokens = tokenizer.encode(text)
            #expect(tokens == ids(example["ids"]), "\(text.debugDescription)")
            #expect(tokenizer.encode(plain: Array(text.utf8)) == ids(example["plain"]), "\(text.debugDescription)")
            #expect(tokenizer.encodeWithSpecialTokens(bytes: Array(text.utf8)) == ids(example["special"]))
            let decoded = try #require(example["decoded"]?.string)
            #expect(tokenizer.text(tokens).utf8.elementsEqual(decoded.utf8), "\(text.debugDescription)")
            let skipped = try #require(example["skipped"]?.string)
            #expect(
                tokenizer.text(tokens, skippingSpecial: true).utf8.elementsEqual(skipped.utf8),
                "\(text.debugDescription)")
        }
    }

    @Test("20,480 lines of mixed text: ids, ids without special tokens, and decoded text", arguments: Fixture.families)
    func lines(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let golden = try Fixture.golden(family)
        let lines = try #require(GoldenLines.shared)
        var differing: [String] = []
        for start in stride(from: 0, to: lines.count, by: lines.block) {
            var (tokenHash, plainHash, textHash) = (GoldenHash(), GoldenHash(), GoldenHash())
            for index in start..<start + lines.block {
                let line = lines.line(index)
                let tokens = tokenizer.encode(bytes: line)
                tokenHash.add(tokens: tokens)
                plainHash.add(tokens: tokenizer.encode(plain: line))
                textHash.add(text: tokenizer.text(tokens))
                textHash.add(text: tokenizer.text(tokens, skippingSpecial: true))
            }
            let block = start / lines.block
            if tokenHash.text != golden["ids"]?.array?[block].string { differing.append("ids of \(start)") }
            if plainHash.text != golden["plain"]?.array?[block].string { differing.append("plain ids of \(start)") }
            if textHash.text != golden["texts"]?.array?[block].string { differing.append("texts of \(start)") }
        }
        #expect(differing.isEmpty, "blocks of \(lines.block) lines from: \(differing.prefix(12))")
    }

    @Test("ids that no text gives are decoded the same", arguments: Fixture.families)
    func randomIdentifiers(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let lines = try #require(GoldenLines.shared)
        let hashes = try #require(try Fixture.golden(family)["random"]?.array)
        for (start, hash) in hashes.enumerated() {
            var actual = GoldenHash()
            for index in 0..<lines.block {
                var random = FuzzGenerator(seed: lines.seed * 7 + UInt64(start * lines.block + index))
                let count = 1 + random.below(24)
                let tokens = (0..<count).map { _ in Int32(random.below(UInt64(tokenizer.vocabularySize + 2))) }
                actual.add(text: tokenizer.text(tokens))
                actual.add(text: tokenizer.text(tokens, skippingSpecial: true))
            }
            #expect(actual.text == hash.string, "sequences from \(start * lines.block)")
        }
    }

    @Test("every scalar beside letters, digits, signs and spaces", arguments: ["gpt2", "llama3", "qwen2", "smollm2"])
    func classes(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let hashes = try #require(try Fixture.golden(family)["classes"]?.array)
        var block = 0
        for start in stride(from: 0, to: 0x20000, by: 0x800) where !(0xD800..<0xE000).contains(start) {
            var hash = GoldenHash()
            for first in stride(from: start, to: start + 0x800, by: 64) {
                var text: [UInt8] = []
                for scalar in UInt32(first)..<UInt32(first) + 64 {
                    for part in ["a", "1", " ", "'", ".\n"] {
                        ScalarDecoding.append(scalar, to: &text)
                        text += part.utf8
                    }
                }
                hash.add(tokens: tokenizer.encode(bytes: text))
            }
            #expect(hash.text == hashes[block].string, "scalars from \(String(start, radix: 16))")
            block += 1
        }
    }

    @Test("the lines are not all alike: a changed tokenizer gives other hashes")
    func negativeControl() throws {
        let lines = try #require(GoldenLines.shared)
        let golden = try Fixture.golden("qwen2")
        let other = try Fixture.tokenizer("gpt2")
        var hash = GoldenHash()
        for index in 0..<lines.block { hash.add(tokens: other.encode(bytes: lines.line(index))) }
        #expect(hash.text != golden["ids"]?.array?[0].string)
    }
}
