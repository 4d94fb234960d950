/// Reproducible randomness for attacks (SplitMix64); nothing that is honest depends on it.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    /// Dice that roll the same for the same seed and words.
    init(_ seed: UInt64, _ words: UInt64...) {
        state = seed
        for word in words {
            state = next() ^ word
        }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A draw from about a standard normal distribution: the sum of twelve uniform ones.
    mutating func normal() -> Float {
        var sum: Float = 0
        for _ in 0..<3 {
            let word = next()
            for part in 0..<4 { sum += Float((word >> (16 * UInt64(part))) & 0xFFFF) / 65536 }
        }
        return sum - 6
    }
}
