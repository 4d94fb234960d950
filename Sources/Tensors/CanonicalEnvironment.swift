import CKernels

/// The floating-point environment of the canonical arithmetic (rule 1): round to nearest even, denormals flushed.
public enum CanonicalEnvironment {
    /// Whether the calling thread is in it.
    public static var isActive: Bool {
        ck_environment_is_canonical()
    }

    /// Runs `body` in it and restores the thread's own environment afterwards; nests at almost no cost.
    @inline(__always)
    public static func run<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let state = ck_environment_enter()
        defer { ck_environment_leave(state) }
        return try body()
    }
}
