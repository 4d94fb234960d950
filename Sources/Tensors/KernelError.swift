/// Why a kernel row may not compute here.
public enum KernelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name is none of the rows.
    case unknownRow(String)
    /// The build or the machine lacks the row.
    case unavailable(KernelRow)
    /// The row computes other bits than the committed vectors.
    case mismatch(KernelRow, operations: [String])
    /// No row passed; one sentence per row.
    case noRow([String])

    /// One sentence: what, where, what to do.
    public var description: String {
        let names = KernelRow.available.map(\.rawValue).joined(separator: ", ")
        switch self {
        case .unknownRow(let name):
            return "there is no kernel row named '\(name)'; this machine can run: \(names)"
        case .unavailable(let row):
            return "this machine cannot run the kernel row '\(row)'; it can run: \(names)"
        case .mismatch(let row, let operations):
            return "kernel row '\(row)' does not reproduce the hash vectors of \(operations.joined(separator: ", ")); "
                + "the processor or the build computes other numbers: choose another row with --row"
        case .noRow(let failures):
            return "no kernel row reproduces the hash vectors on this machine: " + failures.joined(separator: "; ")
        }
    }
}
