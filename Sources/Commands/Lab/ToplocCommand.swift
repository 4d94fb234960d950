import ArgumentParser
import Foundation
import Proofs
import Roles

/// `apus toploc`.
struct ToplocCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toploc",
        abstract: "Build and verify TOPLOC proofs, byte-compatible with the published package (toploc 0.1.6).",
        discussion: """
            Activations are a safetensors file with a bf16 tensor (rows, hidden): the final hidden state, after the last \
            norm, that predicted each token. Rows are cut into chunks of 32; the last one may be shorter, and then a \
            proof goes through min(k, rows · hidden) values.

              apus toploc build --activations mine.safetensors > proofs.txt
              apus toploc verify --activations theirs.safetensors --proofs proofs.txt
            """, subcommands: [Build.self, Verify.self])

    struct Activations: ParsableArguments {
        @Option(help: ArgumentHelp("A safetensors file with a bf16 tensor (rows, hidden).", valueName: "file"))
        var activations: String

        @Option(help: ArgumentHelp("The tensor's name; not needed where there is one only.", valueName: "name"))
        var tensor: String?

        @Option(
            parsing: .unconditional, help: ArgumentHelp("Values of largest magnitude in each proof.", valueName: "k"))
        var topK: Int = 128

        @Option(parsing: .unconditional, help: ArgumentHelp("Rows of a chunk.", valueName: "rows"))
        var chunk: Int = 32

        func validate() throws {
            guard (1...4096).contains(topK), (1...65_536).contains(chunk) else {
                throw ValidationError("--top-k must be 1 to 4096 and --chunk 1 to 65536.")
            }
        }

        var chunking: Chunking { Chunking(rows: chunk, topK: topK) }

        /// Computes with the tensor's bit patterns; a shape that has no proofs is bad input.
        func read<Value>(_ body: (UnsafeBufferPointer<UInt16>, _ hidden: Int) throws -> Value) throws -> Value {
            do {
                return try ActivationsFile(path: activations, tensor: tensor).read(body)
            } catch let error as ToplocError {
                throw RoleFailure(.badInput, "\(activations): \(error)")
            }
        }
    }

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One base64 proof per chunk and line.",
            discussion:
                "The package reads them by verify_proofs_base64(activations, proofs, 32, 128, skip_prefill=True).")

        @OptionGroup var input: Activations

        func run() async throws {
            let proofs = try input.read { try Toploc.proofs(of: $0, hidden: $1, chunking: input.chunking) }
            for proof in proofs { Output.text(proof.base64) }
        }
    }

    /// Which differences pass.
    enum Thresholds: String, CaseIterable, ExpressibleByArgument {
        case toploc
        case exact

        var policy: ToplocPolicy { self == .toploc ? .toploc : .exact }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare proofs with one's own activations; one JSON object per chunk.",
            discussion: """
                exp_mismatches, mant_err_mean and mant_err_median are the figures of the package's C++ path: the largest \
                values are this file's own, the median is the upper one, and 2^64 stands for "no exponent matches". \
                sign_mismatches and degenerate are ours: the package ignores signs, and a polynomial with more than four \
                zero coefficients passes loose thresholds without any inference.

                Accepted means at most 38 exponents, a mean of 10, a median of 8 and 38 signs, and not degenerate; with \
                --policy exact nothing may differ. Exit status: 0 when every chunk is accepted, 65 otherwise.
                """)

        @OptionGroup var input: Activations

        @Option(help: ArgumentHelp("One base64 proof per line, for every chunk.", valueName: "file"))
        var proofs: String

        @Option(help: "Which differences pass: toploc (the published thresholds) or exact (none).")
        var policy: Thresholds = .toploc

        func run() async throws {
            let rows = try input.read { try Toploc.topRows(of: $0, hidden: $1, chunking: input.chunking) }
            let points = rows.map(\.indices.count)
            let text = try text(ToplocProof.lineBytes(points: points))
            let list: [ToplocProof]
            do throws(ToplocLineError) {
                list = try ToplocProof.parse(lines: text, points: points)
            } catch {
                throw RoleFailure(.badInput, "\(proofs): \(error)")
            }
            var rejected = 0
            for (proof, row) in zip(list, rows) {
                let statistics = ToplocStatistics(proof: proof, against: row)
                let accepted = policy.policy.accepts(statistics)
                rejected += accepted ? 0 : 1
                Output.text(
                    "{\"exp_mismatches\":\(statistics.exponentMismatches),\"mant_err_mean\":\(statistics.mantissaErrorMean),"
                        + "\"mant_err_median\":\(statistics.mantissaErrorMedian),"
                        + "\"sign_mismatches\":\(statistics.signMismatches),\"degenerate\":\(statistics.isDegenerate),"
                        + "\"accepted\":\(accepted)}")
            }
            if rejected > 0 {
                throw RoleFailure(
                    .badInput,
                    "\(rejected) of \(rows.count) proofs do not belong to these activations (--policy \(policy.rawValue))."
                )
            }
        }

        /// The file, as far as proofs of this many bytes can reach and one byte further.
        private func text(_ limit: Int) throws -> [UInt8] {
            guard let handle = FileHandle(forReadingAtPath: proofs) else {
                throw RoleFailure(.badInput, "\(proofs) cannot be read.", advice: "Name a file of base64 lines.")
            }
            defer { try? handle.close() }
            let bytes = [UInt8](try handle.read(upToCount: limit + 1) ?? Data())
            guard bytes.count <= limit else {
                throw RoleFailure(
                    .badInput, "\(proofs) is longer than the proofs of these activations can be.",
                    advice: "There must be one line for every chunk; check --chunk and --top-k.")
            }
            return bytes
        }
    }
}
