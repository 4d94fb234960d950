/// Why a file cannot be read as evidence.
public enum EvidenceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It does not begin as a bundle does.
    case notEvidence
    /// It was written in another version of the format.
    case version(UInt32)
    /// More bytes than a bundle can have.
    case tooLarge(bytes: Int)
    /// It ends inside a field.
    case truncated(field: String)
    /// A count or length beyond its limit.
    case beyondLimit(field: String, value: UInt64, limit: Int)
    /// A value that the format does not have.
    case invalid(field: String)
    /// Bytes follow the end.
    case trailingBytes(Int)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .notEvidence: "This is not an evidence file: it does not begin with APUSEVID."
        case .version(let version):
            "The evidence is written in version \(version) of the format; this program reads "
                + "those up to \(EvidenceBundle.formatVersion)."
        case .tooLarge(let bytes): "The evidence has \(bytes) bytes; \(EvidenceLimits.fileBytes) are the most."
        case .truncated(let field): "The evidence ends inside \(field)."
        case .beyondLimit(let field, let value, let limit):
            "The evidence claims \(value) for \(field); \(limit) is the most."
        case .invalid(let field): "The evidence holds an impossible value for \(field)."
        case .trailingBytes(let count): "\(count) bytes follow the end of the evidence."
        }
    }
}
