/// How large a message may be, in every direction that a stranger could stretch it.
///
/// Checked by the receiver before it decodes anything, so that no message costs more memory than these numbers say.
public struct Limits: Hashable, Sendable {
    /// Bytes of one frame.
    public var frameBytes: Int
    /// Bytes of all frames of a message together.
    public var messageBytes: Int
    /// Frames of a message: the header and what its body announces.
    public var frames: Int
    /// Completions of one group.
    public var samples: Int
    /// Tokens of one prompt, and of one completion.
    public var tokens: Int
    /// Rows behind one commitment; fixes how many commitments a completion may have.
    public var chunkRows: Int
    /// Bytes of one TOPLOC proof.
    public var proofBytes: Int
    /// Leases, audits or groups named in one message.
    public var items: Int
    /// Bytes of a name or an id.
    public var nameBytes: Int
    /// Bytes of a sentence for people.
    public var textBytes: Int

    /// The limits of this schema version; a run may use smaller ones.
    public static let standard = Limits(
        frameBytes: 32 << 20, messageBytes: 48 << 20, frames: 4, samples: 256, tokens: 65_536, chunkRows: 32,
        proofBytes: 4096, items: 1024, nameBytes: 256, textBytes: 2048)

    /// The same limits, tightened to what one run can need.
    ///
    /// - Parameters:
    ///   - samples: completions of a group.
    ///   - promptTokens: the longest prompt.
    ///   - completionTokens: the longest completion.
    public func tightened(samples: Int, promptTokens: Int, completionTokens: Int) -> Limits {
        var limits = self
        limits.samples = min(self.samples, max(1, samples))
        limits.tokens = min(tokens, max(1, max(promptTokens, completionTokens)))
        return limits
    }

    /// Commitments or proofs of one completion, whose rows are those of the prompt and its own.
    public var chunks: Int { 2 * ((tokens + chunkRows - 1) / chunkRows) + 1 }
}
