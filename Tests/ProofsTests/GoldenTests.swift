import Foundation
import Identity
import Testing

@testable import Proofs

/// Bytes and verdicts against the published package (toploc 0.1.6), and vectors made independently of it.
@Suite struct GoldenTests {
    struct Golden: Decodable {
        struct Points: Decodable {
            let name: String
            let x: [UInt32]
            let y: [UInt16]
            let modulus: UInt16
            let bytes: String
            let base64: String
            let at: [UInt16]
            let values: [UInt16]
        }
        struct Verdict: Decodable {
            let kind: String
            let results: [[Double]]
        }
        struct Matrix: Decodable {
            let name: String
            let generator: String
            let seed: UInt64
            let rows: Int
            let hidden: Int
            let k: Int
            let chunk: Int
            let moduli: [UInt16]
            let proofs: [String]
            let verdicts: [Verdict]

            var activations: [UInt16] {
                generator == "dense"
                    ? Activations.dense(seed: seed, count: rows * hidden)
                    : Activations.spikes(seed: seed, count: rows * hidden, k: k)
            }
            var chunking: Chunking { Chunking(rows: chunk, topK: k) }
        }
        struct Built: Decodable {
            let seed: UInt64
            let rows: Int
            let hidden: Int
            let proofs: [String]
            let ties: [Int]
        }
        let points: [Points]
        let matrices: [Matrix]
        let built: [Built]
    }

    let golden: Golden

    init() throws {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/toploc", withExtension: "json"))
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    @Test func pointsGiveThePackagesBytes() throws {
        #expect(golden.points.count >= 6)
        for item in golden.points {
            // Interpolation depends on the set of points only, so they may be sorted for TopRows.
            let order = item.x.indices.sorted { item.x[$0] < item.x[$1] }
            let top = try #require(TopRows(indices: order.map { item.x[$0] }, bits: order.map { item.y[$0] }))
            let proof = try ToplocProof(top)
            #expect(proof.modulus == item.modulus, "\(item.name)")
            #expect(proof.bytes.map { String(format: "%02x", $0) }.joined() == item.bytes, "\(item.name)")
            #expect(proof.base64 == item.base64)
            #expect(try ToplocProof(base64: item.base64, points: item.x.count) == proof)
            var values = [UInt16](repeating: 0, count: item.at.count)
            item.at.withUnsafeBufferPointer { at in
                values.withUnsafeMutableBufferPointer { Interpolation.values(of: proof.coefficients, at: at, into: $0) }
            }
            #expect(values == item.values, "\(item.name)")
        }
    }

    @Test func matricesGiveThePackagesBytes() throws {
        for item in golden.matrices {
            let made = try proofs(of: item.activations, hidden: item.hidden, chunking: item.chunking)
            #expect(made.map(\.base64) == item.proofs, "\(item.name)")
            #expect(made.map(\.modulus) == item.moduli, "\(item.name)")
        }
        #expect(golden.matrices.contains { $0.moduli.contains { $0 < 65497 } }, "the search must be exercised")
    }

    /// The package chooses the top values itself; of equal ones at the boundary it may take others than we do.
    @Test func whatThePackageBuiltPasses() throws {
        for item in golden.built {
            let bits = Activations.dense(seed: item.seed, count: item.rows * item.hidden)
            let own = try proofs(of: bits, hidden: item.hidden)
            let tops = try topRows(of: bits, hidden: item.hidden)
            let text = item.proofs.joined(separator: "\n") + "\n"
            let read = try ToplocProof.parse(lines: Array(text.utf8), points: tops.map(\.indices.count))
            for (chunk, proof) in read.enumerated() {
                let statistics = ToplocStatistics(proof: proof, against: tops[chunk])
                #expect(statistics.exponentMismatches <= item.ties[chunk], "\(item.hidden), chunk \(chunk)")
                #expect(ToplocPolicy.toploc.accepts(statistics))
                if item.ties[chunk] == 0 { #expect(proof == own[chunk]) }
            }
        }
        #expect(golden.built.map(\.hidden) == [576, 1024, 2048])
    }

    @Test func verdictsEqualThePackages() throws {
        for item in golden.matrices {
            for verdict in item.verdicts {
                let other = Activations.perturbed(item.activations, verdict.kind)
                let tops = try topRows(of: other, hidden: item.hidden, chunking: item.chunking)
                try #require(tops.count == verdict.results.count)
                for (chunk, top) in tops.enumerated() {
                    let proof = try ToplocProof(base64: item.proofs[chunk], points: top.indices.count)
                    let statistics = ToplocStatistics(proof: proof, against: top)
                    let ours = [
                        Double(statistics.exponentMismatches), statistics.mantissaErrorMean,
                        statistics.mantissaErrorMedian,
                    ]
                    #expect(ours == verdict.results[chunk], "\(item.name), \(verdict.kind), chunk \(chunk)")
                    if verdict.kind == "sign" { #expect(statistics.signMismatches == top.indices.count) }
                }
            }
        }
    }

    @Test(arguments: [
        (32, 64, 258, "476baae1bbbdc3ccbb76c50b023c502c"), (1, 64, 130, "5e2c2786665956c71d07dd3ddec75fea"),
        (32, 4096, 258, "0f86ed4085c716829730b98693cfe4b7"),
    ])
    func independentVectors(rows: Int, hidden: Int, bytes: Int, digest: String) throws {
        let made = try proofs(of: Activations.dense(seed: 1, count: rows * hidden), hidden: hidden)
        let proof = try #require(made.first)
        #expect(made.count == 1 && proof.bytes.count == bytes)
        #expect(SHA256.hash(proof.bytes).hex.hasPrefix(digest))
    }

    @Test func readmeVectorsParse() throws {
        let first = try ToplocProof(base64: "/9kbQitnukt1bQ==", points: 4)
        #expect(first.modulus == 65497 && first.coefficients == [6978, 11111, 47691, 30061])
        let second = try ToplocProof(base64: "/9nLuJrxhiVUoA==", points: 4)
        #expect(second.coefficients == [52152, 39665, 34341, 21664])
    }

    /// With APUS_EMIT_TOPLOC=FILE, writes proofs for `scripts/make-golden-toploc.py --check FILE`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["APUS_EMIT_TOPLOC"] != nil))
    func emitsProofsForThePackage() throws {
        let path = try #require(ProcessInfo.processInfo.environment["APUS_EMIT_TOPLOC"])
        var lines = ""
        for seed in 1...20 as ClosedRange<UInt64> {
            for (rows, hidden) in [(32, 64), (70, 24), (1, 64), (40, 576)] {
                let made = try proofs(of: Activations.dense(seed: seed, count: rows * hidden), hidden: hidden)
                let list = made.map { "\"\($0.base64)\"" }.joined(separator: ",")
                lines +=
                    "{\"seed\":\(seed),\"rows\":\(rows),\"hidden\":\(hidden),\"chunk\":32,\"k\":128,\"proofs\":[\(list)]}\n"
            }
        }
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
