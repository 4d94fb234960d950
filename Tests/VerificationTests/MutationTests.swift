import Identity
import Sampling
import Testing

@testable import Verification

/// Random damage to honest groups: whatever changes is noticed, and nothing traps.
@Suite struct MutationTests {
    private struct Dice {
        var state: UInt64
        mutating func roll(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(bound, 1)
        }
    }

    private func damage(_ evidence: inout GroupEvidence, _ dice: inout Dice) {
        let index = dice.roll(evidence.samples.count)
        func anyHash() -> Hash256 { SHA256.hash([UInt8(dice.roll(256)), 3]) }
        switch dice.roll(16) {
        case 0: evidence.schemaVersion &+= UInt32(1 + dice.roll(5))
        case 1: evidence.leaseID ^= 1 << UInt64(dice.roll(64))
        case 2: evidence.groupID = anyHash()
        case 3: evidence.weightsHash = anyHash()
        case 4: evidence.promptTokens[dice.roll(evidence.promptTokens.count)] ^= 1 << Int32(dice.roll(32))
        case 5: evidence.parameters.temperature = evidence.parameters.temperature.nextUp
        case 6: evidence.samples.remove(at: index)
        case 7:
            evidence.samples[index].tokens[dice.roll(evidence.samples[index].tokens.count)] ^= 1 << Int32(dice.roll(32))
        case 8: evidence.samples[index].tokens.removeLast(1 + dice.roll(evidence.samples[index].tokens.count))
        case 9: evidence.samples[index].tokens.append(Int32(dice.roll(140)))
        case 10:
            let position = dice.roll(evidence.samples[index].logProbabilities.count)
            let bits = evidence.samples[index].logProbabilities[position].bitPattern ^ (1 << UInt32(dice.roll(32)))
            evidence.samples[index].logProbabilities[position] = Float(bitPattern: bits)
        case 11:
            let chunk = dice.roll(evidence.samples[index].commitments.count)
            evidence.samples[index].commitments[chunk][dice.roll(32)] ^= 1 << UInt8(dice.roll(8))
        case 12:
            let chunk = dice.roll(evidence.samples[index].proofs.count)
            let byte = dice.roll(evidence.samples[index].proofs[chunk].count)
            evidence.samples[index].proofs[chunk][byte] ^= 1 << UInt8(dice.roll(8))
        case 13: evidence.samples[index].proofs.append(evidence.samples[index].proofs[0])
        case 14: evidence.samples[index].finishReason = evidence.samples[index].finishReason == .stop ? .length : .stop
        default: evidence.samples.swapAt(0, 1 + dice.roll(evidence.samples.count - 1))
        }
    }

    @Test func everyChangeIsRejected() throws {
        let swarm = try Swarm()
        var dice = Dice(state: 21)
        let terms = try (0..<8).map { try swarm.terms($0) }
        let honest = try swarm.generate(terms)
        var names: [String: Int] = [:]
        for round in 0..<600 {
            var evidence = honest[round % 8]
            damage(&evidence, &dice)
            // A swap of two equal samples, should it occur, changes nothing.
            guard evidence != honest[round % 8] else { continue }
            guard let rejection = try swarm.rejection(evidence, terms[round % 8]) else {
                Issue.record("round \(round): accepted")
                continue
            }
            names[rejection.check, default: 0] += 1
            #expect(!rejection.description.isEmpty)
        }
        #expect(names.count >= 12, "\(names)")
    }
}
