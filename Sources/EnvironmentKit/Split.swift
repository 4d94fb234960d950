import Identity

/// Which half of an environment's problems a task comes from.
public enum Split: String, Sendable, Hashable, CaseIterable {
    /// Problems for warm-up and reinforcement.
    case train
    /// Problems that no training step ever sees: about one in ten.
    case heldOut = "held-out"

    /// The side on which a problem lies, for ever and on every machine.
    ///
    /// The text must be the *canonical* problem: two prompts that ask the same thing (a permutation of the digits to
    /// sort, swapped summands) must give the same text, or the answer to a held-out problem leaks into training.
    public static func containing(canonicalProblem text: String) -> Split {
        var hash = SHA256()
        hash.update(utf8: "apus/split/v1")
        hash.update([0])
        hash.update(utf8: text)
        let first = hash.finalize().bytes[0]
        return first < heldOutBound ? .heldOut : .train
    }

    /// 26 of 256 first bytes: 10.2 %.
    private static let heldOutBound: UInt8 = 26

    /// A word for deriving random streams.
    var streamWord: UInt64 { self == .train ? 0 : 1 }
}
