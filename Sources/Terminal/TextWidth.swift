internal import CEdit

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How many columns of a terminal a text takes.
enum TextWidth {
    /// The width of a text without control characters.
    static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width(of: $1) }
    }

    /// What is put together from several signs is as wide as its widest.
    private static func width(of character: Character) -> Int {
        _ = encoding
        return character.unicodeScalars.map { max(0, Int(dbtool_width($0.value))) }.max() ?? 0
    }

    /// Widths are known in a locale with Unicode only.
    private static let encoding: Void = {
        let codeset = nl_langinfo(Int32(CODESET)).map { String(cString: $0) }
        if codeset != "UTF-8" { setlocale(LC_CTYPE, "C.UTF-8") }
    }()
}
