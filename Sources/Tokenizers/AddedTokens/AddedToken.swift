/// A token that is found in text before anything is merged: an entry of `added_tokens`.
struct AddedToken: Sendable, Equatable {
    /// Its id.
    let identifier: Int32
    /// Its text as UTF-8; not empty.
    let content: [UInt8]
    /// Whether people do not want to read it.
    let isSpecial: Bool
    /// Whether it is found only where no word character touches it.
    let isSingleWord: Bool
    /// Whether it takes the white space before it.
    let stripsLeft: Bool
    /// Whether it takes the white space after it.
    let stripsRight: Bool
    /// Whether it is looked for in the normalized text, in its own normalized form.
    let isNormalized: Bool
}
