import Fuzzing
import JSON
import Testing

@testable import Tokenizers

@Suite("Normalization form C")
struct NormalizationTests {
    private func normalized(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer(CanonicalComposition.normalized) ?? bytes
    }

    @Test("every scalar, as the package normalizes it")
    func scalars() throws {
        var hash = GoldenHash()
        for scalar in UInt32(0)..<0x110000 where Unicode.Scalar(scalar) != nil {
            var text: [UInt8] = []
            ScalarDecoding.append(scalar, to: &text)
            let normal = normalized(text)
            if normal != text { hash.add(text: String(decoding: text + normal, as: UTF8.self)) }
        }
        #expect(hash.text == (try Fixture.json("golden")["normalization"]?["scalars"]?.string))
    }

    @Test("32,768 sequences of scalars that compose, as the package normalizes them")
    func sequences() throws {
        let golden = try #require(try Fixture.json("golden")["normalization"])
        let ranges = try #require(golden["ranges"]?.array).compactMap { GoldenLines.range($0) }
        let seed = try #require(GoldenLines.shared).seed * 3
        for (start, hash) in try #require(golden["sequences"]?.array).enumerated() {
            var actual = GoldenHash()
            for index in 0..<1024 {
                var random = FuzzGenerator(seed: seed + UInt64(start * 1024 + index))
                var text: [UInt8] = []
                for _ in 0..<1 + random.below(8) {
                    let range = ranges[Int(random.below(UInt64(ranges.count)))]
                    ScalarDecoding.append(UInt32(range.low + random.below(range.high - range.low)), to: &text)
                }
                let normal = normalized(text)
                #expect(normalized(normal) == normal)
                actual.add(text: String(decoding: normal, as: UTF8.self))
            }
            #expect(actual.text == hash.string, "sequences from \(start * 1024)")
        }
    }

    @Test("bytes that are not UTF-8 stay, and what is around them is normalized by itself")
    func broken() {
        #expect(
            normalized(Array("e\u{301}".utf8) + [0xFF] + Array("e\u{301}".utf8)) == Array("é".utf8) + [0xFF]
                + Array("é".utf8))
        #expect(normalized([0x65, 0xFF, 0xCC, 0x81]) == [0x65, 0xFF, 0xCC, 0x81])
        #expect(normalized([0xED, 0xA0, 0x80, 0x65, 0xCC, 0x81, 0xCC]) == [0xED, 0xA0, 0x80, 0xC3, 0xA9, 0xCC])
    }

    @Test("a hundred thousand marks on one letter are put in order quickly")
    func manyMarks() {
        let text = Array("a".utf8) + (0..<50_000).flatMap { _ in Array("\u{301}\u{323}".utf8) }
        let normal = normalized(text)
        // All the dots below come first, and the first of them goes into the letter.
        #expect(normal.starts(with: "ạ\u{323}\u{323}".utf8))
        #expect(normal.count == text.count)
    }
}
