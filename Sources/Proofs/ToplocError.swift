/// Why a TOPLOC proof could not be built or read.
public enum ToplocError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The indices repeat, or collide under every modulus from 65497 down to 32769.
    case noInjectiveModulus
    /// The byte count does not fit the number of points.
    case wrongLength(bytes: Int, points: Int)
    /// Modulus zero: what the published package writes when building failed.
    case nullProof
    /// The modulus lies outside 2¹⁵ < m ≤ 65497.
    case modulusOutOfRange(UInt16)
    /// A coefficient is not a field element.
    case coefficientOutOfRange(power: Int, value: UInt16)
    /// Not base64 in the standard alphabet with canonical padding.
    case invalidBase64
    /// Activations are not whole rows, or a size is not positive.
    case invalidShape(values: Int, hidden: Int, chunkRows: Int, topK: Int)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .noInjectiveModulus:
            "The activation indices repeat or collide under every modulus from 65497 to 32769, so no proof exists."
        case .wrongLength(let bytes, let points):
            "A proof of \(points) points takes \(2 + 2 * max(points, 0)) bytes, but this one has \(bytes)."
        case .nullProof:
            "The proof is null (modulus 0): its maker failed to build it."
        case .modulusOutOfRange(let modulus):
            "The proof's modulus \(modulus) lies outside 32769 to 65497."
        case .coefficientOutOfRange(let power, let value):
            "Coefficient \(power) is \(value), which is not below 65497."
        case .invalidBase64:
            "The proof is not padded base64 in the standard alphabet."
        case .invalidShape(let values, let hidden, let chunkRows, let topK):
            "\(values) values do not make rows of \(hidden) for chunks of \(chunkRows) rows and the top \(topK)."
        }
    }
}
