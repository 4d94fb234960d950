import CKernels

/// The canonical arithmetic of one instruction-set row.
///
/// Every method may be called from any thread, enters the canonical floating-point environment itself, allocates
/// nothing and depends on nothing but its arguments: a row of a batch gets the same bits alone, in company, in pieces
/// and on every `KernelRow`. Pointers are the caller's promise: shapes as documented, no overlap of inputs and outputs
/// unless said. Strides count elements.
public struct Kernels: Sendable {
    /// The instruction set in use.
    public let row: KernelRow

    // An immutable table of functions with static lifetime.
    nonisolated(unsafe) let table: UnsafePointer<ck_row>

    /// The functions of `row`, after checking once per process that it reproduces the hash vectors.
    ///
    /// - Throws: `KernelError` when the machine cannot run the row or the row computes other bits.
    public init(row: KernelRow) throws {
        self = try Self(unverified: row)
        try KernelVectors.verify(row)
    }

    /// The row called `name`, or the fastest one that passes its vectors.
    public static func preferred(named name: String? = nil) throws -> Kernels {
        guard let name else { return try Kernels(row: KernelRow.fastestVerified()) }
        guard let row = KernelRow(rawValue: name) else { throw KernelError.unknownRow(name) }
        return try Kernels(row: row)
    }

    /// The functions of `row` as they are, for the vectors themselves and for tests.
    init(unverified row: KernelRow) throws(KernelError) {
        guard let table = row.table else { throw .unavailable(row) }
        self.row = row
        self.table = table
    }
}
