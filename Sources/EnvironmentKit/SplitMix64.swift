/// A small, fully specified source of random numbers for tasks and demonstrations.
///
/// Everything an environment draws must be the same on every machine and with every toolchain, because a task is
/// identified by its seed and index alone. So this type does not conform to `RandomNumberGenerator`: the standard
/// library does not promise how `Int.random(in:using:)` turns bits into integers. The methods below are the
/// specification: SplitMix64 (Steele, Lea and Flood 2014) for the words, Lemire's multiplication with rejection for
/// bounded integers, 53 high bits for fractions, Fisher and Yates from the end for shuffles.
public struct SplitMix64: Sendable, Hashable {
    private var state: UInt64

    /// A generator whose first word is the published SplitMix64 output for this seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// A generator for one place in a tree of streams, such as (seed, index) or (seed, step, row).
    ///
    /// Each word is folded in through the SplitMix64 finaliser, so neighbouring indices give unrelated streams.
    public init(stream words: UInt64...) {
        state = 0
        for word in words {
            state = Self.finalise(state &+ 0x9E37_79B9_7F4A_7C15) ^ word
        }
        state = Self.finalise(state &+ 0x9E37_79B9_7F4A_7C15)
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.finalise(state)
    }

    /// A uniform integer in `0..<bound`; 0 if the bound is 0.
    public mutating func integer(below bound: UInt64) -> UInt64 {
        guard bound > 0 else { return 0 }
        var (high, low) = next().multipliedFullWidth(by: bound)
        if low < bound {
            // 2^64 mod bound: words below it would favour small results.
            let threshold = (0 &- bound) % bound
            while low < threshold {
                (high, low) = next().multipliedFullWidth(by: bound)
            }
        }
        return high
    }

    /// A uniform integer in a closed range.
    public mutating func integer(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
        guard width < .max else { return Int(truncatingIfNeeded: next()) }
        return range.lowerBound &+ Int(truncatingIfNeeded: integer(below: width + 1))
    }

    /// A uniform fraction in 0..<1, a multiple of 2^-53.
    public mutating func fraction() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool {
        fraction() < probability
    }

    /// A uniformly chosen element, or nil of an empty array.
    public mutating func element<Element>(of elements: [Element]) -> Element? {
        guard !elements.isEmpty else { return nil }
        return elements[Int(integer(below: UInt64(elements.count)))]
    }

    /// The same elements in a uniformly random order.
    public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for last in stride(from: result.count - 1, to: 0, by: -1) {
            result.swapAt(last, Int(integer(below: UInt64(last + 1))))
        }
        return result
    }

    private static func finalise(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
