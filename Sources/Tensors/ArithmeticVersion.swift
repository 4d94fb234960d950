import CKernels

/// The version of the canonical arithmetic; a change of any bit is a new version.
public enum ArithmeticVersion {
    /// The version that this build computes, as it appears in every signed envelope.
    public static let current = UInt32(CK_ARITHMETIC_VERSION)
}
