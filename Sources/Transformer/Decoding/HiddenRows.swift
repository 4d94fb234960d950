import Tensors

/// Final hidden states after the last norm, bf16, one row per requested position.
///
/// Rows follow the order of the segments and, within one, of the positions. The row of position p predicts the token at
/// p + 1: the row that predicts sampled token t is that of absolute position prompt + t − 1.
///
/// > Important: The rows lie in the decoder's own memory and are good until its next forward pass.
public struct HiddenRows {
    /// The number of rows.
    public let count: Int
    /// The number of values in a row.
    public let width: Int
    private let storage: Storage<BFloat16Bits>

    init(storage: Storage<BFloat16Bits>, count: Int, width: Int) {
        self.storage = storage
        self.count = count
        self.width = width
    }

    /// Rows of one's own, for example from a replay or a test; `values` are [count, width].
    public init(_ values: [BFloat16Bits], width: Int) {
        precondition(width > 0 && values.count % width == 0, "\(values.count) values are no rows of \(width)")
        self.init(storage: Storage(values), count: values.count / width, width: width)
    }

    /// The first value of row 0; rows follow one another without gaps.
    public var pointer: UnsafePointer<BFloat16Bits> { UnsafePointer(storage.pointer) }

    /// One row.
    public subscript(row: Int) -> UnsafeBufferPointer<BFloat16Bits> {
        precondition(row >= 0 && row < count, "row \(row) of \(count)")
        return UnsafeBufferPointer(start: pointer + row * width, count: width)
    }

    /// The values of all rows, copied.
    public var values: [BFloat16Bits] { Array(UnsafeBufferPointer(start: pointer, count: count * width)) }
}
