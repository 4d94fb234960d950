import Foundation

/// Runs a fuzz loop: a fixed number of cases always, and more until the time for fuzzing is over.
///
/// `APUS_FUZZ_SECONDS` is that time, counted from the first loop of the process on and shared by all loops: they take
/// turns, so a minute of fuzzing is a minute whatever their number. Without it only the fixed cases run, the same ones
/// every time; the others are different every time. `APUS_FUZZ_CASES` raises the number of the fixed cases, and
/// `APUS_FUZZ_SEED` runs one case alone, to repeat a failure.
///
/// ```swift
/// try await Fuzz.run(atLeast: 10_000) { seed in
///     var generator = FuzzGenerator(seed: seed)
///     let bytes = Mutation.mutate(seeds, using: &generator)
///     #expect(isFine(bytes), "APUS_FUZZ_SEED=\(seed)")
/// }
/// ```
public enum Fuzz {
    /// Calls `body` with the seed of each case.
    ///
    /// - Parameter count: the number of cases that always run; they should take well below a second.
    public static func run(atLeast count: Int, _ body: (_ seed: UInt64) throws -> Void) async rethrows {
        if let seed = only {
            try body(seed)
            return
        }
        for seed in 0..<UInt64(max(count, cases)) {
            try body(seed)
            if seed % 64 == 0 { await Task.yield() }
        }
        var seed = UInt64.random(in: 1 << 32...(.max >> 1))
        while ContinuousClock.now < end {
            // Yielding lets the other loops and tests have the thread.
            let slice = ContinuousClock.now.advanced(by: .milliseconds(20))
            repeat {
                try body(seed)
                seed += 1
            } while ContinuousClock.now < slice
            await Task.yield()
        }
    }

    /// Whether the loops run longer than their fixed cases, or one case alone.
    public static var isBounded: Bool { only == nil && seconds == 0 }

    private static let cases = ProcessInfo.processInfo.environment["APUS_FUZZ_CASES"].flatMap(Int.init) ?? 0
    private static let only = ProcessInfo.processInfo.environment["APUS_FUZZ_SEED"].flatMap(UInt64.init)
    private static let seconds = ProcessInfo.processInfo.environment["APUS_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
    private static let end = ContinuousClock.now.advanced(by: .seconds(seconds))
}

/// SplitMix64: the same sequence everywhere, so that a failure can be repeated from its seed.
public struct FuzzGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// Starts the sequence of a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
