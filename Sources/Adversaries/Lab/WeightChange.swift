public import Tensors
public import Transformer

/// Other weights than those that were leased, made from them.
public enum WeightChange {
    /// Copies weights, has them changed, and rounds them again.
    ///
    /// - Throws: `ModelError` where a changed weight is not finite.
    public static func changed(
        _ weights: ModelWeights, kernels: Kernels, pool: ComputePool, _ edit: (MasterWeights) -> Void
    ) throws -> ModelWeights {
        let copy = MasterWeights(widening: weights)
        edit(copy)
        return try ModelWeights(master: copy, kernels: kernels, pool: pool)
    }

    /// Moves a share of some tensors' values by one step of bf16, up or down.
    ///
    /// Values at or near 0 stay, where a step would be no small change.
    public static func nudge(_ tensor: UnsafeMutableBufferPointer<Float>, share: Double, seed: UInt64) {
        var dice = Dice(seed, 2)
        let threshold = UInt64(share * Double(UInt32.max))
        for index in tensor.indices {
            let draw = dice.next()
            let bits = tensor[index].bitPattern
            // Exponents in the middle of their range: no step leads to zero or infinity.
            guard draw & 0xFFFF_FFFF < threshold, (bits >> 23) & 0xFF > 1, (bits >> 23) & 0xFF < 0xFE else { continue }
            tensor[index] = Float(bitPattern: draw >> 63 == 0 ? bits + 0x1_0000 : bits - 0x1_0000)
        }
    }

    /// What so many optimizer steps at a small learning rate do: each moves one value in a hundred by one step of bf16.
    static func drift(_ master: MasterWeights, versions: Int, seed: UInt64) {
        for version in 0..<versions {
            for (number, slice) in master.layout.slices.enumerated() {
                nudge(master[slice], share: 0.01, seed: seed &+ UInt64(version * 100_000 + number))
            }
        }
    }

    /// Rounds every matrix to so many bits, with one scale for each stretch of values of a row.
    static func quantise(_ master: MasterWeights, bits: Int, stretch: Int?) {
        let largest = Float((1 << (bits - 1)) - 1)
        for slice in master.layout.slices where !slice.isVector {
            let tensor = master[slice]
            let width = slice.shape[1]
            for row in 0..<slice.shape[0] {
                for first in Swift.stride(from: 0, to: width, by: stretch ?? width) {
                    let range = row * width + first..<row * width + min(first + (stretch ?? width), width)
                    let scale = range.reduce(into: Float(0)) { $0 = max($0, abs(tensor[$1])) } / largest
                    guard scale > 0 else { continue }
                    for index in range { tensor[index] = (tensor[index] / scale).rounded() * scale }
                }
            }
        }
    }
}
