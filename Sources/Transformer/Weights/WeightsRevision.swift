import Tensors

/// Gives the tensors of a model the values of a later version, block by block; see ``ModelWeights/revised(inPlace:by:)``.
public protocol WeightsRevision {
    /// Elements of a block; only the last of a tensor has fewer.
    var blockElements: Int { get }

    /// Turns to a tensor.
    ///
    /// - Returns: Whether any of its values change; ``revise(_:)`` is called for each of its blocks then, in order.
    mutating func begin(_ tensor: TensorSlice) throws -> Bool

    /// Changes the next block of the tensor, row-major bf16, to what it is in the later version.
    mutating func revise(_ block: UnsafeMutableBufferPointer<BFloat16Bits>) throws
}
