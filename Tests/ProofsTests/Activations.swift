import Proofs

/// SplitMix64, as scripts/make-golden-toploc.py draws from it.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func pattern() -> UInt16 {
        let z = next()
        return UInt16(z & 1) << 15 | UInt16(120 + (z >> 1) % 11) << 7 | UInt16((z >> 32) & 127)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Synthetic activations and what happens to them in tests.
enum Activations {
    /// bf16 bits with eleven exponents and all mantissas.
    static func dense(seed: UInt64, count: Int) -> [UInt16] {
        var generator = SplitMix64(state: seed)
        return (0..<count).map { _ in generator.pattern() }
    }

    /// `k` large values at random places, zeros elsewhere.
    static func spikes(seed: UInt64, count: Int, k: Int) -> [UInt16] {
        var generator = SplitMix64(state: seed)
        var bits = [UInt16](repeating: 0, count: count)
        var placed = 0
        while placed < k {
            let place = generator.below(count)
            let pattern = generator.pattern()
            if bits[place] == 0 {
                bits[place] = pattern
                placed += 1
            }
        }
        return bits
    }

    /// Values close to a normal distribution, as final-norm outputs are.
    static func gaussian(seed: UInt64, count: Int) -> [UInt16] {
        var generator = SplitMix64(state: seed)
        return (0..<count).map { _ in
            var sum: Float = -6
            for _ in 0..<12 { sum += Float(generator.next() >> 40) / Float(1 << 24) }
            return UInt16(truncatingIfNeeded: (sum.bitPattern &+ 0x8000) >> 16)
        }
    }

    static func perturbed(_ bits: [UInt16], _ kind: String) -> [UInt16] {
        switch kind {
        case "mantissa+1": return bits.enumerated().map { $0.offset % 7 == 0 ? $0.element &+ 1 : $0.element }
        case "times4": return bits.map { $0 &+ 2 << 7 }
        case "sign": return bits.map { $0 ^ 0x8000 }
        case "swapped": return Array(bits[(bits.count / 2)...]) + bits[..<(bits.count / 2)]
        default: return bits
        }
    }
}

func proofs(of bits: [UInt16], hidden: Int, chunking: Chunking = .standard) throws -> [ToplocProof] {
    try bits.withUnsafeBufferPointer { try Toploc.proofs(of: $0, hidden: hidden, chunking: chunking) }
}

func topRows(of bits: [UInt16], hidden: Int, chunking: Chunking = .standard) throws -> [TopRows] {
    try bits.withUnsafeBufferPointer { try Toploc.topRows(of: $0, hidden: hidden, chunking: chunking) }
}
