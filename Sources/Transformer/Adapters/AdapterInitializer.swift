import Identity

/// Makes new adapters.
public enum AdapterInitializer {
    /// A new adapter as PEFT starts one: A uniform on ±1/√inputs (Kaiming with a = √5), B zero, so that it changes nothing.
    ///
    /// The same on every machine for the same layout and seed. Every factor has its own generator, seeded by the hash of
    /// its name.
    public static func random(_ layout: AdapterLayout, seed: UInt64) -> AdapterWeights {
        let weights = AdapterWeights(layout: layout)
        for pair in layout.pairs {
            var generator = UniformGenerator(seed: seed, name: pair.down.name)
            let bound = 1 / Float(pair.down.shape[1]).squareRoot()
            let values = weights[pair.down]
            for index in values.indices { values[index] = generator.next() * bound }
        }
        return weights
    }
}

/// Uniform numbers on (−1, 1) from SplitMix64 by integer arithmetic.
private struct UniformGenerator {
    private var state: UInt64

    init(seed: UInt64, name: String) {
        var hash = SHA256()
        hash.update(utf8: "apus/adapter-init/v1")
        hash.update(littleEndian: seed)
        hash.update(utf8: name)
        state = hash.finalize().withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    /// An odd multiple of 2⁻²³: every value is exact, and none is an end of the range.
    mutating func next() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Float(2 * Int32(z >> 41) + 1 - (1 << 23)) * 0x1p-23
    }
}
