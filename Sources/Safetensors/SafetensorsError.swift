/// Why a safetensors file was refused or could not be written.
public struct SafetensorsError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The rule that was broken, one case per rule so that a caller and a test can tell them apart.
    public enum Rule: String, Sendable, CaseIterable {
        case fileTooShort, headerTooLarge, headerBeyondFile, malformedHeader, duplicateKey, unknownType, badShape
        case badOffsets, gapOrOverlap, sizeMismatch, wrongFileEnd, missingTensor, wrongType, notFinite
        case badIndex, inputOutput
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

    /// One sentence: what, where, and what to do.
    public var description: String {
        switch rule {
        case .inputOutput: "\(file): \(detail)."
        case .missingTensor, .wrongType, .notFinite: "\(file): \(detail). Use a file made for this model."
        default: "\(file) is not a valid safetensors file: \(detail). Fetch or export it again."
        }
    }
}
