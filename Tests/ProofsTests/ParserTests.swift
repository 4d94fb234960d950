import Testing

@testable import Proofs

/// Proofs come from strangers: every rule of the strict parser, and random bytes.
@Suite struct ParserTests {
    private func honest() throws -> ToplocProof {
        try #require(try proofs(of: Activations.dense(seed: 5, count: 2048), hidden: 64).first)
    }

    private func failure(_ bytes: [UInt8], points: Int = 128) -> ToplocError? {
        do throws(ToplocError) {
            _ = try ToplocProof(parsing: bytes, points: points)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyRuleRejects() throws {
        let good = try honest().bytes
        #expect(failure(good) == nil)
        #expect(failure([]) == .wrongLength(bytes: 0, points: 128))
        #expect(failure(Array(good.dropLast())) == .wrongLength(bytes: 257, points: 128))
        #expect(failure(good + [0]) == .wrongLength(bytes: 259, points: 128))
        #expect(failure(good, points: 64) == .wrongLength(bytes: 258, points: 64))
        #expect(failure([0xFF, 0xD9], points: 0) == .wrongLength(bytes: 2, points: 0))
        #expect(failure([0xFF, 0xD9], points: -1) != nil)
        #expect(failure([0xFF, 0xD9], points: .max) != nil)
        #expect(failure([0, 0] + good.dropFirst(2)) == .nullProof)
        #expect(failure([UInt8](repeating: 0, count: 258)) == .nullProof)
        #expect(failure([0x80, 0x00] + good.dropFirst(2)) == .modulusOutOfRange(32768))
        #expect(failure([0x80, 0x01] + good.dropFirst(2)) == nil)
        #expect(failure([0xFF, 0xDA] + good.dropFirst(2)) == .modulusOutOfRange(65498))
        var aliased = good
        aliased.replaceSubrange(6...7, with: [0xFF, 0xD9])
        #expect(failure(aliased) == .coefficientOutOfRange(power: 2, value: 65497))
        aliased.replaceSubrange(6...7, with: [0xFF, 0xD8])
        #expect(failure(aliased) == nil)
    }

    @Test func base64IsCanonical() throws {
        let text = "/9kbQitnukt1bQ=="
        #expect(try ToplocProof(base64: text, points: 4).base64 == text)
        for bad in [
            "", "/9kbQitnukt1bQ", "/9kbQitnukt1bQ=", "_9kbQitnukt1bQ==", "/9kbQitnukt1bR==", " /9kbQitnukt1bQ==",
            "/9kb\n",
        ] {
            #expect(throws: ToplocError.self, "\(bad)") { try ToplocProof(base64: bad, points: 4) }
        }
    }

    @Test func randomBytesNeverTrapAndRoundTrip() throws {
        var generator = SplitMix64(state: 99)
        let good = try honest().bytes
        let top = try #require(try topRows(of: Activations.dense(seed: 5, count: 2048), hidden: 64).first)
        var parsed = 0
        for round in 0..<5000 {
            var bytes: [UInt8]
            if round % 2 == 0 {
                bytes = (0..<generator.below(300)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            } else {
                bytes = good
                for _ in 0...generator.below(4) {
                    bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
                }
                if generator.below(5) == 0 { bytes.removeLast(generator.below(bytes.count)) }
            }
            let points = generator.below(3) == 0 ? bytes.count / 2 - 1 : 128
            guard let proof = try? ToplocProof(parsing: bytes, points: points) else { continue }
            parsed += 1
            #expect(proof.bytes == bytes)
            _ = ToplocStatistics(proof: proof, against: top)
        }
        #expect(parsed > 1000)
    }
}
