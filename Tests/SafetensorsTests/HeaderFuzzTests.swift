import Testing

@testable import Safetensors

@Suite("Safetensors fuzzing")
struct HeaderFuzzTests {
    /// A small generator whose sequence is the same everywhere, so that a failure can be repeated from its seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let seeds: [[UInt8]] = [
        Fixture.bytes(#"{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#, data: 8),
        Fixture.bytes(
            #"{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[],"data_offsets":[6,7]}}"#,
            data: 7),
        Fixture.bytes("{}"),
    ]

    @Test("a mutated file is refused, or every tensor lies inside it")
    func mutations() {
        var generator = Generator(state: 2026)
        let interesting = Array(#"{}[]":,0123456789-+.eE\u \#u{7f}"#.utf8) + [0, 0xFF, 0x80, 0xC0]
        var accepted = 0
        for _ in 0..<60_000 {
            var bytes = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[place] = interesting.randomElement(using: &generator) ?? 0
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeLast(min(bytes.count, Int.random(in: 1...8, using: &generator)))
                }
            }
            guard let header = try? Fixture.parse(bytes) else { continue }
            accepted += 1
            for info in header.tensors.values {
                #expect(info.range.lowerBound >= 0 && header.dataStart + info.range.upperBound <= bytes.count)
                #expect(TensorInfo.byteCount(type: info.type, shape: info.shape) == info.range.count)
            }
        }
        // A fuzzer that only ever sees refusals tests one branch.
        #expect(accepted > 100)
    }

    @Test("every truncation of a valid file is refused")
    func truncations() {
        for seed in Self.seeds {
            for count in 0..<seed.count {
                #expect(throws: SafetensorsError.self) { try Fixture.parse(Array(seed.prefix(count))) }
            }
        }
    }
}
