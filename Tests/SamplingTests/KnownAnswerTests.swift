import Foundation
import Identity
import Tensors
import Testing

@testable import Sampling

/// Answers computed apart from this code: Python's hashlib, a plain Philox and double-precision logarithms.
@Suite struct KnownAnswerTests {
    static func hash(_ byte: UInt8) throws -> Hash256 {
        try #require(Hash256([UInt8](repeating: byte, count: 32)))
    }

    static func key(_ sample: UInt32) throws -> NoiseKey {
        NoiseKey(runID: try hash(1), weightsHash: try hash(2), groupID: try hash(3), sample: sample)
    }

    @Test func keyMaterial() throws {
        let expected: [(UInt32, String)] = [
            (0, "a764a488b4d5021c9581bf563a2c5e6c382706c1d9facfda3aa83d31bf5d1e13"),
            (1, "ee90e15814bae41cfe2cc234f4c56e87463563dd0dd3b0ce5788c4ba0a6b810d"),
            (70000, "6aa200f7cd99dec31e0194d642ab707f65907d0c863665467bc4ccfc13f5ba6c"),
        ]
        for (sample, hex) in expected { #expect(try Self.key(sample).material.hex == hex) }
        let words = try Self.key(0).words
        #expect(words.key == (0x88A4_64A7, 0x1C02_D5B4))
        #expect(words.counter == (0x56BF_8195, 0x6C5E_2C3A))
    }

    @Test func everyPartOfTheKeyMatters() throws {
        let (a, b, c) = (try Self.hash(1), try Self.hash(2), try Self.hash(3))
        let keys = [
            NoiseKey(runID: a, weightsHash: b, groupID: c, sample: 0),
            NoiseKey(runID: a, weightsHash: b, groupID: c, sample: 1),
            NoiseKey(runID: c, weightsHash: b, groupID: a, sample: 0),
            NoiseKey(runID: b, weightsHash: a, groupID: c, sample: 0),
            NoiseKey(runID: a, weightsHash: c, groupID: b, sample: 0),
        ]
        #expect(Set(keys.map(\.material)).count == keys.count)
    }

    @Test(arguments: KernelRow.available) func tokens(row: KernelRow) throws {
        let kernels = try Kernels(row: row)
        // The closest decision of these has a margin of 0.005, far above rounding.
        let expected: [Int32] = [
            68, 68, 36, 5, 5, 5, 98, 98, 98, 95, 95, 95, 21, 21, 21, 19, 19, 81, 41, 41, 41, 59, 74, 59, 38, 38, 66, 68,
            68, 68, 98, 98, 98, 38, 52, 38, 76, 76, 76, 2, 2, 2, 60, 60, 70,
        ]
        let logits = (0..<100).map { Float(($0 * 37) % 11) / 4 }
        var drawn: [Int32] = []
        for sample in [0, 1, 70000] as [UInt32] {
            let noise = try Self.key(sample).words
            for position in [0, 1, 5, 1000, .max] as [UInt32] {
                for temperature in [1, 0.5, 2] as [Float] {
                    let parameters = SamplingParameters(samples: 1, maximumTokens: 1, temperature: temperature)
                    let chooser = TokenChooser(kernels: kernels, vocabularySize: 100, parameters: parameters)
                    let chosen = try chooser.choose(logits, noise: noise, position: position)
                    drawn.append(chosen.token)
                    let weights = logits.map { Double.exp($0 / temperature) }
                    let exact = Double(logits[Int(chosen.token)] / temperature) - Double.log(weights.reduce(0, +))
                    #expect(abs(Double(chosen.logProbability) - exact) < 1e-5)
                }
            }
        }
        #expect(drawn == expected)
    }
}

extension Double {
    fileprivate static func exp(_ x: Float) -> Double { Foundation.exp(Double(x)) }
    fileprivate static func log(_ x: Double) -> Double { Foundation.log(x) }
}
