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
    public init?(material: UnsafeRawBufferPointer) {
        guard material.count >= 16 else { return nil }
        func word(_ index: Int) -> UInt32 {
            UInt32(littleEndian: material.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        }
        (keyLow, keyHigh, counterLow, counterHigh) = (word(0), word(1), word(2), word(3))
    }

    /// The same for bytes in an array.
    public init?(material: [UInt8]) {
        guard let words = material.withUnsafeBytes({ NoiseWords(material: $0) }) else { return nil }
        self = words
    }

    var forC: ck_noise_key {
        ck_noise_key(key: key, counter: counter)
    }
}

/// A running choice: feed the blocks of a row in any order, on several threads if need be, then read the token.
public struct TokenChoice: Sendable, Equatable, BitwiseCopyable {
    /// The chosen id, or -1 before anything was fed (or when no logit compares, NaN included).
    public private(set) var token: Int32 = -1
    /// The raw logit of `token`.
    public private(set) var logit: Float = -.infinity
    /// `z - log E`, or the logit for greedy.
    public private(set) var score: Float = -.infinity

    /// Nothing chosen yet.
    public init() {}

    /// Takes the better of two choices over different ids; ties go to the lowest id.
    public mutating func merge(_ other: TokenChoice) {
        if other.score > score || other.score == score && other.token < token { self = other }
    }

    var forC: ck_choice {
        get { ck_choice(score: score, logit: logit, token: token) }
        set { (score, logit, token) = (newValue.score, newValue.logit, newValue.token) }
    }
}

extension Kernels {
    /// Reads one block of a row once, for everything that sampling wants to know of it (rules 2, 8 and 10).
    ///
    /// - Parameters:
    ///   - firstID: A multiple of 2048.
    ///   - count: At most 2048.
    ///   - temperature: 0 is greedy: the plain argmax, and the sum at temperature 1.
    ///   - position: The absolute index of the token to be chosen in the canonical token array.
    ///   - choice: Continued with the ids of the block, where minus infinity never wins.
    /// - Returns: The block's part of the log-sum-exp, or nil where a logit is a NaN or an infinity.
    public func sample(
        _ logits: UnsafePointer<Float>, firstID: Int, count: Int, temperature: Float, noise: NoiseWords,
        position: UInt32, choice: inout TokenChoice
    ) -> VocabularyBlock? {
        precondition(firstID % VocabularyBlock.size == 0 && count > 0 && count <= VocabularyBlock.size)
        precondition(temperature >= 0)
        var sum = ck_block_sum()
        let isFinite = withUnsafePointer(to: noise.forC) { key in
            let isGreedy = temperature == 0
            var job = ck_sample_job(
                logits: logits, first_id: firstID, count: count, temperature: isGreedy ? 1 : temperature,
                noise: isGreedy ? nil : key, position: position)
            return CanonicalEnvironment.run { table.pointee.sample(&job, &sum, &choice.forC) }
        }
        return isFinite ? VocabularyBlock(maximum: sum.maximum, sum: sum.sum) : nil
    }

    /// The Gumbel argmax over a whole row of logits, or the plain argmax at temperature 0.
    public func gumbelArgmax(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float, noise: NoiseWords, position: UInt32
    ) -> TokenChoice {
        var choice = TokenChoice()
        for first in stride(from: 0, to: count, by: VocabularyBlock.size) {
            _ = sample(
                logits + first, firstID: first, count: min(VocabularyBlock.size, count - first),
                temperature: temperature, noise: noise, position: position, choice: &choice)
        }
        return choice
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
