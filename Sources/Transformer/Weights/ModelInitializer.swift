import Identity

/// Makes random models.
public enum ModelInitializer {
    /// Random master weights, the same on every machine for the same configuration and seed.
    ///
    /// Embeddings have standard deviation 0.02, linear layers 1/√(inputs), the two projections back into the residual
    /// stream additionally 1/√(2 layers), norms are 1, biases 0.
    ///
    /// Draws are sums of twelve 16-bit uniforms (Irwin and Hall): so close to a normal distribution that training cannot
    /// tell, bounded at six deviations, and made of integer additions only, so no library's logarithm decides a weight.
    /// Every tensor has its own generator, seeded by the hash of its name.
    public static func random(_ configuration: ModelConfiguration, seed: UInt64) -> MasterWeights {
        let weights = MasterWeights(configuration)
        let layout = weights.layout
        let hidden = Float(configuration.hiddenSize)
        let residual = 1 / Float(2 * configuration.layers).squareRoot()
        func fill(_ slice: TensorSlice, deviation: Float) {
            var generator = NormalGenerator(seed: seed, name: slice.name)
            let values = weights[slice]
            for index in 0..<values.count { values[index] = generator.next() * deviation }
        }
        func ones(_ slice: TensorSlice?) {
            guard let slice else { return }
            weights[slice].update(repeating: 1)
        }
        fill(layout.embedding, deviation: 0.02)
        for layer in layout.layers {
            for slice in [layer.query, layer.key, layer.value, layer.gate, layer.up] {
                fill(slice, deviation: 1 / hidden.squareRoot())
            }
            fill(layer.output, deviation: residual / Float(configuration.queryWidth).squareRoot())
            fill(layer.down, deviation: residual / Float(configuration.intermediateSize).squareRoot())
            [layer.inputNorm, layer.postAttentionNorm, layer.queryNorm, layer.keyNorm].forEach(ones)
        }
        ones(layout.finalNorm)
        if let output = layout.outputProjection { fill(output, deviation: 1 / hidden.squareRoot()) }
        return weights
    }
}

/// Approximately normal numbers from SplitMix64 by integer arithmetic.
private struct NormalGenerator {
    private var state: UInt64

    init(seed: UInt64, name: String) {
        var hash = SHA256()
        hash.update(utf8: "apus/init/v1")
        hash.update(littleEndian: seed)
        hash.update(utf8: name)
        state = hash.finalize().withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    /// One number of mean 0 and variance 1: twelve uniforms on 0 to 65535, less their mean, over 65536.
    mutating func next() -> Float {
        var sum: Int32 = 0
        for _ in 0..<3 {
            let word = nextWord()
            sum += Int32(word & 0xFFFF) + Int32(word >> 16 & 0xFFFF) + Int32(word >> 32 & 0xFFFF) + Int32(word >> 48)
        }
        return Float(sum - 6 * 65_535) * 0x1p-16
    }

    private mutating func nextWord() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
