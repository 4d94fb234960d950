import Fuzzing
import Testing

@testable import Tokenizers

/// Text that is not UTF-8: what the `tokenizers` package cannot even be given.
@Suite("Bytes that are not UTF-8")
struct BrokenTextTests {
    private static let lossless = ["gpt2", "llama3", "smollm2"]

    private func broken(_ generator: inout FuzzGenerator) -> [UInt8] {
        let lines = GoldenLines.shared
        let line = lines?.line(Int.random(in: 0..<20_000, using: &generator)) ?? []
        return Mutation.mutate(
            [line, line + [0xFF]], interesting: [0xFF, 0xC0, 0xE2, 0xED, 0xF0, 0x80], using: &generator)
    }

    @Test("byte-level vocabularies encode any bytes and give them back", arguments: lossless)
    func roundTrip(family: String) async throws {
        let tokenizer = try Fixture.tokenizer(family)
        try await Fuzz.run(atLeast: 3000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = broken(&generator)
            try #require(tokenizer.decode(tokenizer.encode(bytes: bytes)) == bytes, "APUS_FUZZ_SEED=\(seed)")
            try #require(tokenizer.decode(tokenizer.encode(plain: bytes)) == bytes, "APUS_FUZZ_SEED=\(seed)")
        }
    }

    @Test("every single byte and every pair of bytes comes back", arguments: lossless)
    func pairs(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        for first in UInt8.min...UInt8.max {
            #expect(tokenizer.decode(tokenizer.encode(bytes: [first])) == [first])
            for second in UInt8.min...UInt8.max {
                #expect(tokenizer.decode(tokenizer.encode(bytes: [first, second])) == [first, second])
            }
        }
    }

    @Test("NFC changes well-formed text only", arguments: ["qwen2"])
    func normalized(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let bytes: [UInt8] = [0x65, 0xCC, 0x81, 0xFF, 0x65, 0xCC]
        #expect(tokenizer.decode(tokenizer.encode(bytes: bytes)) == [0xC3, 0xA9, 0xFF, 0x65, 0xCC])
    }

    @Test("a byte that is not UTF-8 is cut from its neighbours like U+FFFD")
    func pieces() throws {
        let tokenizer = try Fixture.tokenizer("gpt2")
        // Letters, then two broken bytes with the space before them, then letters again.
        let tokens = tokenizer.encode(bytes: Array("ab ".utf8) + [0xFF, 0xFE] + Array("cd".utf8))
        let parts = tokenizer.encode("ab") + tokenizer.encode(bytes: [0x20, 0xFF, 0xFE]) + tokenizer.encode("cd")
        #expect(tokens == parts)
    }

    @Test("a vocabulary with byte tokens takes them for broken bytes, and gives the bytes back")
    func fallback() throws {
        let tokenizer = try Fixture.tokenizer("llama2")
        let bytes: [UInt8] = Array("a".utf8) + [0xFF, 0xC3]
        let tokens = tokenizer.encode(bytes: bytes)
        #expect(tokens.suffix(2) == [Int32(0xFF) + 3, Int32(0xC3) + 3])
        #expect(tokenizer.decode(tokens) == bytes)
        #expect(tokenizer.text(tokens) == "a\u{FFFD}\u{FFFD}")
    }

    @Test("no bytes crash any family", arguments: Fixture.families)
    func noCrash(family: String) async throws {
        let tokenizer = try Fixture.tokenizer(family)
        try await Fuzz.run(atLeast: 1000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let tokens = tokenizer.encode(bytes: broken(&generator))
            try #require(tokens.allSatisfy { tokenizer.bytes(of: $0) != nil }, "APUS_FUZZ_SEED=\(seed)")
            _ = tokenizer.text(tokens)
        }
    }
}
