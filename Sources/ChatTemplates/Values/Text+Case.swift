extension Text {
    var uppercased: Text { mapped { $0.properties.uppercaseMapping } }

    var lowercased: Text {
        var result = Text()
        for (index, scalar) in scalars.enumerated() { result.appendLowercase(scalar, at: index, of: self) }
        return result
    }

    /// The first scalar in title case, the others in lower case.
    var capitalized: Text {
        var result = Text()
        for (index, scalar) in scalars.enumerated() {
            if index == 0 {
                result.scalars += scalar.properties.titlecaseMapping.unicodeScalars
            } else {
                result.appendLowercase(scalar, at: index, of: self)
            }
        }
        return result
    }

    /// Each run of letters in title case: `str.title`.
    var titled: Text {
        var result = Text()
        var afterCased = false
        for (index, scalar) in scalars.enumerated() {
            if afterCased {
                result.appendLowercase(scalar, at: index, of: self)
            } else {
                result.scalars += scalar.properties.titlecaseMapping.unicodeScalars
            }
            afterCased = scalar.properties.isCased
        }
        return result
    }

    var caseSwapped: Text {
        var result = Text()
        for (index, scalar) in scalars.enumerated() {
            if scalar.properties.isUppercase {
                result.appendLowercase(scalar, at: index, of: self)
            } else if scalar.properties.isLowercase {
                result.scalars += scalar.properties.uppercaseMapping.unicodeScalars
            } else {
                result.scalars.append(scalar)
            }
        }
        return result
    }

    /// Whether there are cased scalars and all of them are of one case.
    func isCased(upper: Bool) -> Bool {
        var hasCased = false
        for scalar in scalars {
            let properties = scalar.properties
            if upper ? properties.isLowercase : properties.isUppercase { return false }
            if properties.generalCategory == .titlecaseLetter { return false }
            if upper ? properties.isUppercase : properties.isLowercase { hasCased = true }
        }
        return hasCased
    }

    /// Whether there are scalars and all of them fit.
    func isMade(of fits: (Unicode.Scalar) -> Bool) -> Bool { !isEmpty && scalars.allSatisfy(fits) }

    private func mapped(_ mapping: (Unicode.Scalar) -> String) -> Text {
        var result = Text()
        result.scalars.reserveCapacity(count)
        for scalar in scalars { result.scalars += mapping(scalar).unicodeScalars }
        return result
    }

    /// The lower case of one scalar; a capital sigma depends on where it stands in its word.
    private mutating func appendLowercase(_ scalar: Unicode.Scalar, at index: Int, of text: Text) {
        if scalar == "\u{3A3}" {
            scalars.append(text.isFinalSigma(at: index) ? "\u{3C2}" : "\u{3C3}")
        } else {
            scalars += scalar.properties.lowercaseMapping.unicodeScalars
        }
    }

    private func isFinalSigma(at index: Int) -> Bool {
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }
}
