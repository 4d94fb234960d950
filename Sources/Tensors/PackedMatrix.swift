import CKernels

/// A bf16 weight matrix [rows, columns] in the one layout that every kernel row reads.
///
/// Panels of 48 matrix rows; inside a panel the pairs `(w[2p], w[2p+1])` of the 48 rows lie side by side for each `p`.
/// Odd columns and the last panel are padded with zeros, which never change a bit of a result.
public final class PackedMatrix: @unchecked Sendable {
    // Unchecked because it is written only while it is built or repacked by its only user, and read after that.

    /// Output features: rows of the original matrix.
    public let rows: Int
    /// Input features: columns of the original matrix.
    public let columns: Int

    let storage: Storage<BFloat16Bits>

    /// Matrix rows per panel.
    public static let panelWidth = Int(CK_PANEL_COLUMNS)

    /// An all-zero matrix, to be filled with `pack`.
    public init(rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0, "a matrix of \(rows) x \(columns) has no elements")
        self.rows = rows
        self.columns = columns
        storage = Storage(count: ck_packed_count(rows, columns))
    }

    /// A matrix whose panels lie at the start of memory that somebody else manages: an operand of one backward product, or
    /// a part of a model's weights.
    ///
    /// - Parameter memory: at least ``elementCount(rows:columns:)`` elements; each must be packed before use, or be zero.
    public init(rows: Int, columns: Int, over memory: Storage<BFloat16Bits>) {
        precondition(rows > 0 && columns > 0, "a matrix of \(rows) x \(columns) has no elements")
        precondition(memory.count >= Self.elementCount(rows: rows, columns: columns), "too little memory for panels")
        self.rows = rows
        self.columns = columns
        storage = memory
    }

    /// The elements of a packed matrix, padding included.
    public static func elementCount(rows: Int, columns: Int) -> Int { ck_packed_count(rows, columns) }

    /// Packs a row-major matrix.
    public convenience init(_ source: UnsafePointer<BFloat16Bits>, rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns)
        pack(source, rows: rows, at: 0)
    }

    /// Packs matrices that share an input (q, k and v; gate and up) below each other, in the order given.
    public convenience init(
        concatenating parts: [(source: UnsafePointer<BFloat16Bits>, rows: Int)], columns: Int
    ) {
        self.init(rows: parts.reduce(0) { $0 + $1.rows }, columns: columns)
        var row = 0
        for part in parts {
            pack(part.source, rows: part.rows, at: row)
            row += part.rows
        }
    }

    /// Overwrites `rows` rows from `row` on with a row-major source; nobody may read the matrix meanwhile.
    public func pack(_ source: UnsafePointer<BFloat16Bits>, rows count: Int, at row: Int) {
        precondition(row >= 0 && count >= 0 && row + count <= rows, "rows \(row)..<\(row + count) of \(rows)")
        ck_pack_rows(source, columns, count, columns, storage.pointer, row)
    }

    /// Copies rows as they were before packing, denormals flushed, to row-major memory [rows, columns].
    public func unpack(_ rows: Range<Int>, into target: UnsafeMutablePointer<BFloat16Bits>) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= self.rows, "rows \(rows) of \(self.rows)")
        ck_unpack_rows(storage.pointer, columns, rows.lowerBound, rows.count, target, columns)
    }

    /// Makes denormals signed zeros, as packing does: for bf16 values that are not packed.
    public static func flushDenormals(_ values: UnsafeMutablePointer<BFloat16Bits>, count: Int) {
        for index in 0..<count {
            let bits = values[index]
            values[index] = bits & 0x7F80 == 0 ? bits & 0x8000 : bits
        }
    }

    /// The number of panels, the unit in which work is split.
    public var panelCount: Int {
        (rows + Self.panelWidth - 1) / Self.panelWidth
    }

    /// One element, for tests and inspection.
    public subscript(row: Int, column: Int) -> BFloat16Bits {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns, "element outside the matrix")
        return ck_packed_element(storage.pointer, columns, row, column)
    }

    func panelPointer(_ panel: Int) -> UnsafePointer<BFloat16Bits> {
        UnsafePointer(storage.pointer + panel * ((columns + 1) / 2) * 2 * Self.panelWidth)
    }
}
