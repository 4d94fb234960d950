/// What an engine has learned about how long completions get, to guess how many pages a sample will take.
///
/// A guess only decides who starts when; it changes no token.
public struct CompletionLengths: Sendable, Hashable {
    private var mean = 0.0
    private var count = 0

    /// Completions that a new one is averaged with at most, so that the mean follows a policy that changes.
    private static let memory = 256

    /// Nothing is known yet.
    public init() {}

    /// Takes in a finished completion.
    mutating func note(_ tokens: Int) {
        count = min(count + 1, Self.memory)
        mean += (Double(tokens) - mean) / Double(count)
    }

    /// The tokens that a sample is counted with that has `tokens` now and may get `maximum`.
    ///
    /// Samples are at different places of their way, so each is counted half-way to its expected end, and one that has
    /// outlived the mean is expected to go on for half of what it has. Simulated over ranges of lengths and memories,
    /// this is as fast as starting whatever fits at the moment, with a fifth of the samples put off again.
    func expected(after tokens: Int, maximum: Int) -> Int {
        let mean = count == 0 ? Double(maximum) / 2 : mean
        let rest = max(mean - Double(tokens), Double(tokens) / 2)
        return min(maximum, tokens + Int(rest / 2) + 1)
    }
}
