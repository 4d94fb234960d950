import Tensors

/// One token to be drawn from a row of hidden states.
public struct TokenDraw: Sendable {
    /// The row that predicts it; several samples may draw from one row.
    public var row: Int
    /// The place of its group's chooser among those of the pass.
    public var chooser: Int
    /// The sample's noise.
    public var noise: NoiseWords
    /// The absolute index in the canonical token array of the token to be drawn.
    public var position: UInt32
    /// The token whose log-probability is wanted; nil for the drawn one.
    public var claimed: Int32?

    /// Names everything that a draw depends on beside the logits.
    public init(row: Int, chooser: Int, noise: NoiseWords, position: UInt32, claimed: Int32? = nil) {
        self.row = row
        self.chooser = chooser
        self.noise = noise
        self.position = position
        self.claimed = claimed
    }
}
