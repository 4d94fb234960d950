import CKernels

@testable import Tensors

/// A small deterministic generator, so that every failure repeats.
struct Inputs {
    /// What kind of numbers to draw.
    enum Kind: CaseIterable {
        /// Uniform in [-2, 2).
        case plain
        /// Uniform in [-16, 16).
        case logits
        /// Any sign and fraction, exponents -60 to 60.
        case wide
        /// Exponents -126 to -50: products underflow.
        case small
        /// Denormals, zeros of both signs, the smallest normal numbers.
        case denormal
    }

    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func word() -> UInt32 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return UInt32(truncatingIfNeeded: z >> 32)
    }

    mutating func integer(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(word()) % range.count
    }

    mutating func float(_ kind: Kind) -> Float {
        let bits = word()
        switch kind {
        case .plain: return Float(Int32(bits >> 8) - (1 << 23)) * 0x1p-22
        case .logits: return Float(Int32(bits >> 8) - (1 << 23)) * 0x1p-19
        case .wide: return Float(bitPattern: bits & 0x807f_ffff | UInt32(67 + integer(in: 0...120)) << 23)
        case .small: return Float(bitPattern: bits & 0x807f_ffff | UInt32(1 + integer(in: 0...76)) << 23)
        case .denormal: return Float(bitPattern: bits & (word() % 5 == 0 ? 0x8000_0000 : 0x80ff_ffff))
        }
    }

    mutating func floats(_ count: Int, _ kind: Kind) -> [Float] {
        (0..<count).map { _ in float(kind) }
    }

    mutating func bfloats(_ count: Int, _ kind: Kind) -> [BFloat16Bits] {
        // The upper half of the bits: denormals must reach the kernels.
        (0..<count).map { _ in UInt16(float(kind).bitPattern >> 16) }
    }

    mutating func noise() -> NoiseWords {
        let bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: word()) }
        guard let words = NoiseWords(material: bytes) else { preconditionFailure("16 bytes are enough") }
        return words
    }
}

/// Every row of this machine, unverified so that a wrong row fails its own test and not all of them.
let everyRow: [Kernels] = KernelRow.available.compactMap { try? Kernels(unverified: $0) }

/// The reference row.
func scalarRow() throws -> Kernels {
    try Kernels(unverified: .scalar)
}

/// Bit patterns, so that -0 differs from +0 and NaN equals itself.
func bits(_ values: [Float]) -> [UInt32] {
    values.map(\.bitPattern)
}
