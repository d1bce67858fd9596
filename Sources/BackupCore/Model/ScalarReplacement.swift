extension String {
    /// The text with `replacement` for each `scalar`, even for one that an accent follows.
    ///
    /// For escaping: `replacing(_:with:)` looks for characters, and to Swift a quote that is followed
    /// by a combining accent is another character; to a server or a shell it ends the text.
    public func replacing(scalar: Unicode.Scalar, with replacement: String) -> String {
        var result = UnicodeScalarView()
        for one in unicodeScalars {
            if one == scalar {
                result.append(contentsOf: replacement.unicodeScalars)
            } else {
                result.append(one)
            }
        }
        return String(result)
    }
}
