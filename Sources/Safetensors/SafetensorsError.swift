/// Why a safetensors file was refused or could not be written.
public struct SafetensorsError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The rule that was broken, one case per rule so that a caller and a test can tell them apart.
    public enum Rule: String, Sendable, CaseIterable {
        case fileTooShort, headerTooLarge, headerBeyondFile, malformedHeader, duplicateKey, unknownType, badShape
        case badOffsets, gapOrOverlap, sizeMismatch, wrongFileEnd, missingTensor, wrongType, notFinite
        case badIndex, inputOutput

        /// What must hold, for people.
        public var statement: String {
            switch self {
            case .fileTooShort: "a file has at least 8 bytes"
            case .headerTooLarge: "a header has at most \(SafetensorsHeader.maximumByteCount) bytes"
            case .headerBeyondFile: "the header ends inside the file"
            case .malformedHeader: "the header is one JSON object of tensors with dtype, shape and data_offsets"
            case .duplicateKey: "no name stands twice"
            case .unknownType: "every dtype is one of the format's"
            case .badShape: "a tensor has a whole number of bytes that can be counted"
            case .badOffsets: "data_offsets are a begin and an end, in this order"
            case .gapOrOverlap: "tensors follow one another from 0 on without gap or overlap"
            case .sizeMismatch: "a tensor has as many bytes as its shape and dtype say"
            case .wrongFileEnd: "the last tensor ends where the file ends"
            case .missingTensor: "the tensor is there"
            case .wrongType: "the tensor has the type and shape that the model needs"
            case .notFinite: "every weight is finite"
            case .badIndex: "the index puts every tensor into the one part beside it that holds it"
            case .inputOutput: "the file can be read and written"
            }
        }
    }

    /// The rule that was broken.
    public let rule: Rule
    /// The file, as the caller named it.
    public let file: String
    /// What was found, in a sentence without a final period.
    public let detail: String

    /// Creates an error.
    public init(_ rule: Rule, file: String, _ detail: String) {
        self.rule = rule
        self.file = file
        self.detail = detail
    }

    /// What, where, which rule, and what to do.
    public var description: String {
        switch rule {
        case .inputOutput: "\(file): \(detail)."
        case .missingTensor, .wrongType, .notFinite: "\(file): \(detail). Use a file made for this model."
        case .badIndex:
            "\(file) is not a valid index: \(detail) (rule \(rule.rawValue): \(rule.statement)). Fetch it again."
        default:
            "\(file) is not a valid safetensors file: \(detail) (rule \(rule.rawValue): \(rule.statement)). "
                + "Fetch or export it again."
        }
    }
}
