import ArgumentParser
import Identity
import Roles
import Tensors

/// `apus kernels`.
struct KernelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "The instruction-set rows of this machine; --check proves that all give the same bits.")

    @Flag(help: "Run every row against the scalar one and print a digest per operation.")
    var check = false

    @Option(help: ArgumentHelp("Check only this row.", valueName: "name"))
    var row: String?

    func run() async throws {
        var rows = KernelRow.available
        if let row {
            guard let named = KernelRow(rawValue: row) else {
                throw ValidationError(
                    "There is no row \(row); there are \(KernelRow.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            guard rows.contains(named) else {
                throw RoleFailure(
                    .badInput, "This machine cannot run the row \(row).",
                    advice: "It can run \(rows.map(\.rawValue).joined(separator: ", ")).")
            }
            rows = [named]
        }
        let chosen = try Kernels.preferred(named: row).row
        Output.text(
            "arithmetic version \(ArithmeticVersion.current); rows "
                + rows.map { $0 == chosen ? "\($0) (in use)" : "\($0)" }.joined(separator: ", "))
        guard check else { return }
        let reference = try KernelVectors.digests(.scalar)
        var isEqual = true
        for row in rows {
            for (mine, scalar) in zip(try KernelVectors.digests(row), reference) {
                let agrees = mine.digest == scalar.digest
                isEqual = isEqual && agrees
                Output.text(
                    Terminal.left("\(row)", 12) + Terminal.left(mine.operation, 24) + mine.digest
                        + (agrees ? "" : "  differs from scalar"))
            }
        }
        guard isEqual, reference.map(\.digest) == KernelVectors.expected.map(\.digest) else {
            throw RoleFailure(
                .fault, "A row computes other bits than arithmetic version \(ArithmeticVersion.current).",
                advice: "It will not be used; report the machine and this output.")
        }
        Output.text("all rows agree with the committed vectors: \(Hexadecimal.encode(KernelVectors.combinedDigest))")
    }
}
