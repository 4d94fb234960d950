import CKernels

/// The Philox key and the counter words that stay the same for one sample (rule 10).
public struct NoiseWords: Sendable, Hashable {
    /// Bytes 0..<8 of the key material, little-endian.
    public var key: (UInt32, UInt32) {
        (keyLow, keyHigh)
    }
    /// Bytes 8..<16 of the key material: counter words 2 and 3.
    public var counter: (UInt32, UInt32) {
        (counterLow, counterHigh)
    }

    private let keyLow: UInt32
    private let keyHigh: UInt32
    private let counterLow: UInt32
    private let counterHigh: UInt32

    /// Noise from the first 16 bytes of key material, or nil when there are fewer.
    public init?(material: some Collection<UInt8>) {
        guard material.count >= 16 else { return nil }
        var words: [UInt32] = [0, 0, 0, 0]
        for (index, byte) in material.prefix(16).enumerated() {
            words[index / 4] |= UInt32(byte) << UInt32(8 * (index % 4))
        }
        (keyLow, keyHigh, counterLow, counterHigh) = (words[0], words[1], words[2], words[3])
    }

    var forC: ck_noise_key {
        ck_noise_key(key: key, counter: counter)
    }
}

/// A running choice over ascending ids: feed chunks of a vocabulary in order, then read the token.
public struct TokenChoice: Sendable, Equatable {
    /// The chosen id, or -1 before anything was fed (or when no logit compares, NaN included).
    public private(set) var token: Int32 = -1
    /// The raw logit of `token`.
    public private(set) var logit: Float = -.infinity
    /// `z - log E`, or the logit for greedy.
    public private(set) var score: Float = -.infinity

    /// Nothing chosen yet.
    public init() {}

    var forC: ck_choice {
        get { ck_choice(score: score, logit: logit, token: token) }
        set { (score, logit, token) = (newValue.score, newValue.logit, newValue.token) }
    }
}

extension Kernels {
    /// Continues a Gumbel argmax over the ids `firstID ..< firstID + count` (rule 10); ties go to the lowest id.
    ///
    /// - Parameters:
    ///   - firstID: A multiple of 16, ascending from call to call.
    ///   - temperature: Above 0; greedy is `chooseGreedily`.
    ///   - position: The absolute index of the token to be chosen in the canonical token array.
    public func choose(
        _ logits: UnsafePointer<Float>, firstID: Int = 0, count: Int, temperature: Float, noise: NoiseWords,
        position: UInt32, choice: inout TokenChoice
    ) {
        precondition(firstID % Int(CK_LANES) == 0 && temperature > 0)
        var key = noise.forC
        CanonicalEnvironment.run {
            table.pointee.choose(logits, firstID, count, temperature, &key, position, &choice.forC)
        }
    }

    /// The Gumbel argmax over a whole row of logits, or the plain argmax at temperature 0.
    public func gumbelArgmax(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float, noise: NoiseWords, position: UInt32
    ) -> TokenChoice {
        var choice = TokenChoice()
        if temperature == 0 {
            chooseGreedily(logits, count: count, choice: &choice)
        } else {
            choose(
                logits, count: count, temperature: temperature, noise: noise, position: position, choice: &choice)
        }
        return choice
    }

    /// Continues a plain argmax; ties go to the lowest id.
    public func chooseGreedily(
        _ logits: UnsafePointer<Float>, firstID: Int = 0, count: Int, choice: inout TokenChoice
    ) {
        CanonicalEnvironment.run { table.pointee.greedy(logits, firstID, count, &choice.forC) }
    }

    /// One Philox4x32-10 block.
    public static func philox(
        counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var result = [UInt32](repeating: 0, count: 4)
        ck_philox4x32_10([counter.0, counter.1, counter.2, counter.3], [key.0, key.1], &result)
        return (result[0], result[1], result[2], result[3])
    }
}
