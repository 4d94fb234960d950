import Foundation
import Identity
import Testing

@Suite struct Hash256Tests {
    @Test func textAndBytesAgree() throws {
        let bytes = (0..<32).map { UInt8($0 * 7 & 255) }
        let hash = try #require(Hash256(bytes))
        #expect(hash.bytes == bytes)
        #expect(Hash256(hex: hash.hex) == hash)
        #expect(Hash256(hex: hash.hex.uppercased()) == hash)
        #expect("\(hash)" == hash.hex)
        #expect(Hash256.zero.hex == String(repeating: "0", count: 64))
        #expect(MemoryLayout<Hash256>.size == 32)
    }

    @Test func refusesOtherShapes() {
        #expect(Hash256([UInt8](repeating: 1, count: 31)) == nil)
        #expect(Hash256([UInt8](repeating: 1, count: 33)) == nil)
        for text in ["", "0", String(repeating: "0", count: 63), String(repeating: "g", count: 64)] {
            #expect(Hash256(hex: text) == nil)
        }
        // 64 characters, but more than 64 bytes.
        #expect(Hash256(hex: String(repeating: "é", count: 64)) == nil)
        #expect(Hexadecimal.decode("0") == nil)
        #expect(Hexadecimal.decode("+1") == nil)
        #expect(Hexadecimal.decode("") == [])
    }

    @Test func orderIsThatOfTheText() throws {
        let hashes = (0..<200).map { SHA256.hash([UInt8($0)]) }
        #expect(hashes.sorted().map(\.hex) == hashes.map(\.hex).sorted())
        #expect(!(Hash256.zero < Hash256.zero))
    }

    @Test func codableAsText() throws {
        let hash = SHA256.hash([1])
        let data = try JSONEncoder().encode([hash])
        #expect(String(decoding: data, as: UTF8.self) == "[\"\(hash.hex)\"]")
        #expect(try JSONDecoder().decode([Hash256].self, from: data) == [hash])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Hash256].self, from: Data("[\"00\"]".utf8)) }
    }
}
