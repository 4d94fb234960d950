import ArgumentParser
import Foundation
import Proofs
import Roles
import Safetensors

/// `apus toploc`.
struct ToplocCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toploc", abstract: "Build and verify TOPLOC proofs, byte-compatible with the published package.",
        subcommands: [Build.self, Verify.self])

    struct Activations: ParsableArguments {
        @Option(help: ArgumentHelp("A safetensors file with a bf16 tensor (rows, hidden).", valueName: "file"))
        var activations: String

        @Option(help: "The tensor's name; not needed where there is one only.")
        var tensor: String?

        @Option(parsing: .unconditional, help: "Values of largest magnitude in each proof.")
        var topK: Int = 128

        @Option(parsing: .unconditional, help: "Rows of a chunk.")
        var chunk: Int = 32

        func validate() throws {
            guard (1...4096).contains(topK), (1...65_536).contains(chunk) else {
                throw ValidationError("--top-k must be 1 to 4096 and --chunk 1 to 65536.")
            }
        }

        var chunking: Chunking { Chunking(rows: chunk, topK: topK) }

        /// Hands over the tensor's bit patterns and its width.
        func read<Value>(_ body: (UnsafeBufferPointer<UInt16>, _ hidden: Int) throws -> Value) throws -> Value {
            let file = try SafetensorsFile(path: activations)
            guard let name = tensor ?? (file.tensors.count == 1 ? file.tensors.keys.first : nil) else {
                throw RoleFailure(
                    .badInput, "\(activations) holds \(file.tensors.count) tensors.",
                    advice: "Name one by --tensor: \(file.tensors.keys.sorted().prefix(8).joined(separator: ", ")).")
            }
            guard let info = file.tensors[name] else {
                throw RoleFailure(.badInput, "\(activations) holds no tensor \(name).")
            }
            guard info.type == .bfloat16, info.shape.count == 2, info.shape[1] > 0 else {
                throw RoleFailure(
                    .badInput, "\(name) is \(info.type) \(info.shape); a bf16 tensor (rows, hidden) is needed.")
            }
            // The mapping may lie at an odd place in the file; a copy is aligned.
            var values = [UInt16](repeating: 0, count: info.elementCount)
            try file.withBytes(of: name) { bytes in
                values.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
            }
            guard values.allSatisfy({ $0 & 0x7F80 != 0x7F80 }) else {
                throw RoleFailure(.badInput, "\(name) holds a value that is not finite.")
            }
            return try values.withUnsafeBufferPointer { try body($0, info.shape[1]) }
        }
    }

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One base64 proof per chunk and line.")

        @OptionGroup var input: Activations

        func run() async throws {
            let proofs = try input.read { try Toploc.proofs(of: $0, hidden: $1, chunking: input.chunking) }
            for proof in proofs { Output.text(proof.base64) }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare proofs with one's own activations; one JSON object per chunk.",
            discussion:
                "Accepted means within the published thresholds (38 exponents, mantissa 10 and 8) and not degenerate.")

        @OptionGroup var input: Activations

        @Option(help: ArgumentHelp("One base64 proof per line.", valueName: "file"))
        var proofs: String

        func run() async throws {
            let rows = try input.read { try Toploc.topRows(of: $0, hidden: $1, chunking: input.chunking) }
            guard let text = try? String(contentsOfFile: proofs, encoding: .utf8) else {
                throw RoleFailure(.badInput, "\(proofs) cannot be read.")
            }
            let lines = text.split(separator: "\n")
            guard lines.count == rows.count else {
                throw RoleFailure(
                    .badInput, "\(proofs) holds \(lines.count) proofs for \(rows.count) chunks.",
                    advice: "There must be one for every chunk; a missing one proves nothing.")
            }
            var isAccepted = true
            for (index, line) in lines.enumerated() {
                let proof: ToplocProof
                do throws(ToplocError) {
                    proof = try ToplocProof(base64: line, points: rows[index].indices.count)
                } catch {
                    throw RoleFailure(.badInput, "\(proofs):\(index + 1): \(error)")
                }
                let statistics = ToplocStatistics(proof: proof, against: rows[index])
                let accepted = ToplocPolicy.toploc.accepts(statistics)
                isAccepted = isAccepted && accepted
                Output.text(
                    "{\"exp_mismatches\":\(statistics.exponentMismatches),\"mant_err_mean\":\(statistics.mantissaErrorMean),"
                        + "\"mant_err_median\":\(statistics.mantissaErrorMedian),"
                        + "\"sign_mismatches\":\(statistics.signMismatches),\"degenerate\":\(statistics.isDegenerate),"
                        + "\"accepted\":\(accepted)}")
            }
            if !isAccepted { throw RoleFailure(.badInput, "At least one proof does not belong to these activations.") }
        }
    }
}
