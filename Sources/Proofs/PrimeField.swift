import CKernels

/// The integers modulo 65497, over which TOPLOC interpolates.
///
/// Every bit pattern of a finite bf16 value lies below the prime, so a proof can hold it without loss.
enum PrimeField {
    /// The prime, 2¹⁶ − 39.
    static var prime: UInt16 { UInt16(CK_FIELD_PRIME) }
}
