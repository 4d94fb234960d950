import Fuzzing
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

    @Test func onlyOneProofForEveryChunk() throws {
        let made = try proofs(of: Activations.dense(seed: 5, count: 70 * 64), hidden: 64)
        let points = made.map(\.coefficients.count)
        let text = made.map(\.base64).joined(separator: "\n")
        func failure(_ text: String, points: [Int]) -> ToplocLineError? {
            do throws(ToplocLineError) {
                _ = try ToplocProof.parse(lines: Array(text.utf8), points: points)
                return nil
            } catch {
                return error
            }
        }
        #expect(try ToplocProof.parse(lines: Array(text.utf8), points: points) == made)
        #expect(failure(text + "\n", points: points) == nil)
        #expect(text.utf8.count + 1 <= ToplocProof.lineBytes(points: points))
        #expect(failure("", points: []) == nil)
        #expect(failure("", points: points) == .count(proofs: 0, chunks: 3))
        #expect(failure(text + "\n\n", points: points) == .count(proofs: 4, chunks: 3))
        #expect(failure(text, points: points + [128]) == .count(proofs: 3, chunks: 4))
        #expect(failure(text.replacing("\n", with: "\r\n"), points: points) == .line(1, .invalidBase64))
        let null = text.split(separator: "\n").dropLast() + [Substring("AAA" + made[2].base64.dropFirst(3))]
        #expect(failure(null.joined(separator: "\n"), points: points) == .line(3, .nullProof))
    }

    @Test func hostileProofsNeverTrapAndRoundTrip() async throws {
        let good = try honest().bytes
        let bits = Activations.dense(seed: 5, count: 2048)
        let top = try #require(try topRows(of: bits, hidden: 64).first)
        let constant = [0xFF, 0xD9, 0x40, 0x49] + [UInt8](repeating: 0, count: 254)
        let originals = [good, constant, Array(good.prefix(130)), [UInt8](repeating: 0xFF, count: 258)]
        var parsed = 0
        await Fuzz.run(atLeast: 5000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes =
                seed % 4 == 0
                ? (0..<Int.random(in: 0..<300, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                : Mutation.mutate(originals, interesting: [0, 0x7F, 0x80, 0xD9, 0xFF], using: &generator)
            let points = seed % 3 == 0 ? bytes.count / 2 - 1 : 128
            guard let proof = try? ToplocProof(parsing: bytes, points: points) else { return }
            parsed += 1
            #expect(proof.bytes == bytes, "APUS_FUZZ_SEED=\(seed)")
            // Nothing forged without the activations passes, and nothing traps.
            let statistics = ToplocStatistics(proof: proof, against: top)
            #expect(!ToplocPolicy.exact.accepts(statistics) || bytes == good, "APUS_FUZZ_SEED=\(seed)")
        }
        if Fuzz.isBounded { #expect(parsed > 500) }
    }

    @Test func hostileTextNeverTraps() async throws {
        let made = try proofs(of: Activations.dense(seed: 5, count: 70 * 64), hidden: 64)
        let text = Array((made.map(\.base64).joined(separator: "\n") + "\n").utf8)
        let points = made.map(\.coefficients.count)
        await Fuzz.run(atLeast: 2000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = Mutation.mutate([text], interesting: Array("=+/Az0_-\n\r\0é".utf8), using: &generator)
            guard let read = try? ToplocProof.parse(lines: bytes, points: points) else { return }
            let again = read.map(\.base64).joined(separator: "\n")
            #expect(bytes == Array(again.utf8) || bytes == Array((again + "\n").utf8), "APUS_FUZZ_SEED=\(seed)")
        }
    }
}
