public import Identity

/// One published set of weights.
///
/// Numbers are never reused: a rollback publishes old weights under a new number.
public struct PolicyVersion: Hashable, Sendable, Codable {
    /// The number under which the weights were published.
    public let number: UInt64
    /// The hash over the tensors.
    public let weightsHash: Hash256
    /// The optimizer steps behind these weights.
    public let step: UInt64

    /// Names a set of weights.
    public init(number: UInt64, weightsHash: Hash256, step: UInt64) {
        self.number = number
        self.weightsHash = weightsHash
        self.step = step
    }
}
