import BackupCore

/// By which rules a database holds text, sorts it and changes its case.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/locale.html#LOCALE-PROVIDERS>
struct PostgresLocale {
    /// Encoding, collation and character class of the machine's own locales.
    private let names: [String?]
    /// The letter of `pg_database.datlocprovider`.
    private let provider: String
    private let locale: String?
    private let rules: String?

    /// `properties`: `SnapshotMoment.databaseProperties`.
    init(_ properties: [String: String]) {
        names = ["encoding", "collate", "ctype"].map { properties[$0] }
        // Before version 15 there was no other one.
        provider = properties["locale_provider"] ?? "c"
        locale = properties["locale"]
        rules = properties["icu_rules"]
    }

    /// Whether text is the same to both, as far as names tell.
    func isLike(_ other: PostgresLocale) -> Bool {
        names == other.names && provider == other.provider && rules == other.rules
            && isNamedLike(other)
    }

    /// What a server is too old for, in words; nil where it can have such a database.
    func lack(major: Int) -> String? {
        switch provider {
        case "i" where major < 15: "locale provider icu"
        case "i" where major < 16 && rules != nil: "ICU rules for a database"
        case "b" where major < 17: "locale provider builtin"
        default: nil
        }
    }

    private func isNamedLike(_ other: PostgresLocale) -> Bool {
        guard provider == "i", let locale, let theirs = other.locale else {
            return locale == other.locale
        }
        let (own, their) = (Self.tag(locale), Self.tag(theirs))
        guard own.isOfICU == their.isOfICU else {
            return own.language == their.language && own.settings.isEmpty == their.settings.isEmpty
        }
        return own.language == their.language && own.settings == their.settings
    }

    /// A name of a locale of ICU, however it is written: version 16 and later write it in one way.
    ///
    /// `de@collation=phonebook` has names of its own for what `de-u-co-phonebk` says.
    private static func tag(
        _ name: String
    ) -> (language: [String], settings: [String], isOfICU: Bool) {
        let parts = name.lowercased().split(separator: "@", maxSplits: 1)
        let isOfICU = parts.count > 1
        let words = (parts.first ?? "").split { $0 == "-" || $0 == "_" }.map(String.init)
        let language = words.prefix { $0 != "u" }.filter { !["root", "und"].contains($0) }
        let settings: [String] =
            isOfICU
            ? parts[1].split(separator: ";").map(String.init)
            : words.dropFirst(words.prefix { $0 != "u" }.count + 1)
                .filter { !["true", "yes"].contains($0) }
        return (language, settings.sorted(), isOfICU)
    }
}
