import ArgumentParser
import Foundation
import Roles

extension BenchCommand {
    /// `apus bench adopt`.
    struct Adopt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seconds from a version's announcement until it is computed with, and the pause of generation.",
            discussion: """
                Versions are taken in by turns from their files and as differences to the weights in memory; a line each. \
                $APUS_WEIGHTS_CACHE says where files of packed weights go.
                """)
        @Option(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir")) var model: String
        @Option(parsing: .unconditional, help: "Changes of each kind.") var rounds: Int = 3
        @Option(parsing: .unconditional, help: "Percent of the values that differ between versions.")
        var changed: Double = 3
        @Option(parsing: .unconditional, help: "Sequences generated all the while; 0 for none.") var sequences: Int = 64
        @OptionGroup var compute: ComputeOptions

        func validate() throws {
            guard rounds >= 1, sequences >= 0 else { throw ValidationError("--rounds must be at least 1.") }
            guard changed > 0, changed <= 50 else {
                throw ValidationError("--changed must be above 0 and at most 50.")
            }
        }

        func run() async throws {
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("apus-adopt-\(UUID())").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let bench = AdoptionBench(
                model: model, directory: directory, kernels: try compute.kernels(), threads: compute.threadCount)
            try await bench.run(rounds: rounds, changed: changed / 100, sequences: sequences) { try Output.line($0) }
        }
    }
}
