import Foundation
import Fuzzing
import JSON
import Testing

@testable import Tokenizers

/// The lines of text that scripts/make-golden-tokenizers.py builds as well, and the hashes it makes.
struct GoldenLines {
    let seed: UInt64
    let count: Int
    let block: Int
    let fragments: [String]
    let ranges: [(low: UInt64, high: UInt64)]

    static let shared: GoldenLines? = try? GoldenLines()

    init() throws {
        let value = try Fixture.json("lines")
        seed = UInt64(try #require(value["seed"]?.integer))
        count = try #require(value["count"]?.integer)
        block = try #require(value["block"]?.integer)
        fragments = try #require(value["fragments"]?.array).compactMap(\.string)
        ranges = try #require(value["ranges"]?.array).compactMap { Self.range($0) }
    }

    static func range(_ value: JSONValue) -> (low: UInt64, high: UInt64)? {
        guard let ends = value.array?.compactMap(\.integer), ends.count == 2 else { return nil }
        return (UInt64(ends[0]), UInt64(ends[1]))
    }

    /// The line of an index.
    func line(_ index: Int) -> [UInt8] {
        var random = FuzzGenerator(seed: seed + UInt64(index))
        var text: [UInt8] = []
        for _ in 0..<1 + random.below(12) {
            switch random.below(8) {
            case ..<4: text += fragments[Int(random.below(UInt64(fragments.count)))].utf8
            case ..<7: text += [0x20] + fragments[Int(random.below(UInt64(fragments.count)))].utf8
            default:
                let range = ranges[Int(random.below(UInt64(ranges.count)))]
                ScalarDecoding.append(UInt32(range.low + random.below(range.high - range.low)), to: &text)
            }
        }
        return text
    }
}

extension FuzzGenerator {
    /// A number below `bound`, as the script computes it.
    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}

/// FNV-1a over 64 bits, as the script computes it.
struct GoldenHash {
    private var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    mutating func add(tokens: [Int32]) {
        for token in tokens { withUnsafeBytes(of: token.littleEndian) { add($0) } }
        add([0xFF, 0xFF, 0xFF, 0xFF])
    }

    mutating func add(text: String) {
        add(text.utf8)
        add([0xFF])
    }

    var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The files under `Fixtures/`.
enum Fixture {
    static let families = ["gpt2", "llama3", "qwen2", "smollm2", "llama2", "mistral", "odd-pieces", "odd-bytes"]

    static func bytes(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
        return [UInt8](try Data(contentsOf: url))
    }

    static func json(_ name: String) throws -> JSONValue { try JSONValue.parse(try bytes(name)) }

    static func tokenizer(_ name: String) throws -> BytePairTokenizer {
        try TokenizerFile.read(try bytes(name), path: "\(name).json")
    }

    static func golden(_ family: String) throws -> JSONValue {
        try #require(try json("golden")["families"]?[family])
    }
}
