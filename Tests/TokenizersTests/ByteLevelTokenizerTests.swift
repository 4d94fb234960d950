import Testing

@testable import Tokenizers

@Suite("Byte-level tokenizer")
struct ByteLevelTokenizerTests {
    @Test("ASCII text is its own codes and comes back")
    func asciiRoundTrip() {
        let tokenizer = ByteLevelTokenizer.ascii
        #expect(tokenizer.encode("83152>") == [56, 51, 49, 53, 50, 62])
        #expect(tokenizer.encode("12358\n").last == tokenizer.endOfSequence)
        let all = (0..<128).map(Int32.init)
        #expect(tokenizer.encode(bytes: tokenizer.decode(all)) == all)
    }

    @Test("bytes outside the vocabulary become the substitute, never an id out of range")
    func outsideASCII() {
        let tokens = ByteLevelTokenizer.ascii.encode("é>")
        #expect(tokens == [ByteLevelTokenizer.substitute, ByteLevelTokenizer.substitute, 62])
    }

    @Test("256 ids hold every byte, invalid UTF-8 included")
    func allBytes() {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(ByteLevelTokenizer.bytes.decode(ByteLevelTokenizer.bytes.encode(bytes: bytes)) == bytes)
        #expect(
            ByteLevelTokenizer.bytes.text(ByteLevelTokenizer.bytes.encode("Apus apus – Mauersegler"))
                == "Apus apus – Mauersegler")
    }

    @Test("ids without bytes are shown as U+FFFD")
    func foreignIdentifiers() throws {
        let tokenizer = try #require(ByteLevelTokenizer(vocabularySize: 49152))
        #expect(tokenizer.text([72, 40000, 105]) == "H\u{FFFD}i")
        #expect(tokenizer.decode([-1, Int32.max]).count == 6)
    }

    @Test("vocabularies that cannot hold ASCII are refused")
    func tooSmall() {
        #expect(ByteLevelTokenizer(vocabularySize: 127) == nil)
        #expect(ByteLevelTokenizer(vocabularySize: Int.max) == nil)
    }
}
