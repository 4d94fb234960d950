import ArgumentParser
import Foundation
import Tensors

/// The options of every command that computes.
struct ComputeOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Threads to compute with (default: all cores).")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Instruction-set row: scalar, avx2, avx512f, avx512bf16 or neon; all give the same bits (default: the fastest that passes its vectors).",
            valueName: "name"))
    var row: String?

    func validate() throws {
        if let threads, threads < 1 || threads > 1024 {
            throw ValidationError("--threads must be between 1 and 1024.")
        }
        if let row, KernelRow(rawValue: row) == nil {
            throw ValidationError(
                "There is no row \(row); there are \(KernelRow.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
    }

    var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

    /// The kernels of the chosen row, checked against their vectors.
    func kernels() throws -> Kernels { try Kernels.preferred(named: row) }

    /// A pool of the chosen size.
    func pool() -> ComputePool { ComputePool(threads: threadCount) }
}
