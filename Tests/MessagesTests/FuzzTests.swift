import Foundation
import Messages
import SwiftProtobuf
import Testing

/// Bytes from strangers: whatever they are, decoding ends with a value or a ``MessageError``.
@Suite struct FuzzTests {
    private static let clientFrames = Examples.clientBodies.map { ClientEnvelope(id: 300, $0).frames[0] }
    private static let serverFrames = Examples.serverBodies.map { ServerEnvelope(id: 300, answers: 7, $0).frames[0] }

    @Test func mutatedMessagesNeverCrash() {
        var random = Generator(state: 1)
        var accepted = 0
        var codes: Set<MessageError.Code> = []
        for _ in 0..<12_000 {
            let original = (random.flip() ? Self.clientFrames : Self.serverFrames).randomElement(using: &random) ?? []
            let bytes = mutated(original, &random)
            do {
                let read = try ClientEnvelope(frames: [bytes])
                accepted += 1
                // What was accepted keeps its meaning when it is written again.
                #expect(try ClientEnvelope(frames: read.frames).frames == read.frames)
            } catch {
                codes.insert(error.code)
            }
            do throws(MessageError) { _ = try ServerEnvelope(frames: [bytes]) } catch { codes.insert(error.code) }
        }
        #expect(accepted > 0)
        #expect(codes.isSuperset(of: [.malformed, .unknownField, .outOfRange, .missing, .tooMany]))
    }

    @Test func mutatedGroupsNeverCrash() {
        var random = Generator(state: 2)
        let original = Examples.payload.signedBytes
        for _ in 0..<12_000 {
            let bytes = mutated(original, &random)
            if let payload = try? Wire.GroupPayload(strict: bytes) {
                #expect(payload.samples.count <= Limits.standard.samples)
                #expect(payload.samples.allSatisfy { $0.logProbabilities.allSatisfy(\.isFinite) })
            }
        }
    }

    @Test func noiseNeverCrashes() {
        var random = Generator(state: 3)
        for _ in 0..<12_000 {
            let count = Int.random(in: 0...60, using: &random)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = try? ClientEnvelope(frames: [[0x08, 0x01] + noise])
            _ = try? ServerEnvelope(frames: [[0x08, 0x01] + noise])
            _ = try? Wire.GroupPayload(strict: [0x08, 0x01] + noise)
        }
    }

    /// What the check lets through, the library decodes: nothing is left to its own idea of a valid message.
    @Test func everyPrefixIsRefused() {
        for frame in Self.clientFrames where frame.count > 6 {
            for length in 0..<frame.count {
                guard let read = try? ClientEnvelope(frames: [Array(frame[..<length])]) else { continue }
                Issue.record("a prefix of \(length) bytes of \(frame.count) was accepted as \(read.header)")
            }
        }
    }

    private func mutated(_ original: [UInt8], _ random: inout Generator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let index = bytes.indices.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
            case 4: bytes.removeLast(bytes.count - index)
            default:
                let piece = bytes[index..<min(bytes.count, index + Int.random(in: 1...40, using: &random))]
                bytes.insert(contentsOf: piece, at: index)
            }
        }
        return bytes
    }
}

/// SplitMix64: the same mutations in every run.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func flip() -> Bool { next() & 1 == 0 }
}
