extension [UInt8] {
    /// The bytes of a completion without the text of the stop token.
    ///
    /// In the byte vocabulary the stop token is a newline, so callers that decode the tokens of a finished completion
    /// whole arrive with one trailing newline, and callers that drop the stop token without. Both mean the same
    /// answer; a second newline would be part of it.
    public var answerBytes: ArraySlice<UInt8> {
        last == UInt8(ascii: "\n") ? self[..<(count - 1)] : self[...]
    }
}
