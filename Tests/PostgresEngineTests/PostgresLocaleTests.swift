import Testing

@testable import PostgresEngine

/// Whether text is the same to two databases.
@Suite struct PostgresLocaleTests {
    private func locale(_ provider: String?, _ name: String? = nil, rules: String? = nil)
        -> PostgresLocale
    {
        var properties = ["encoding": "UTF8", "collate": "C", "ctype": "C"]
        properties["locale_provider"] = provider
        properties["locale"] = name
        properties["icu_rules"] = rules
        return PostgresLocale(properties)
    }

    @Test(arguments: [
        ("de-u-co-phonebk", "de-u-co-phonebk"), ("en-US", "en_us"), ("und", "root"), ("", "und"),
        ("de-u-ks-level2-kn-true", "de-u-kn-ks-level2"),
        ("de@collation=phonebook", "de-u-co-phonebk"),
        ("de@collation=phonebook", "de@collation=phonebook"),
    ])
    func `one locale of ICU has several names`(one: String, other: String) {
        #expect(locale("i", one).isLike(locale("i", other)))
        #expect(locale("i", other).isLike(locale("i", one)))
    }

    @Test(arguments: [
        ("de", "en"), ("de", "de-u-co-phonebk"), ("de-u-co-phonebk", "de-u-co-eor"),
        ("de@collation=phonebook", "en-u-co-phonebk"), ("de@collation=phonebook", "de"),
        ("de@collation=phonebook", "de@collation=search"),
    ])
    func `other locales of ICU are others`(one: String, other: String) {
        #expect(!locale("i", one).isLike(locale("i", other)))
    }

    @Test func `provider and rules count, and there was one provider before version 15`() {
        #expect(locale(nil).isLike(locale("c")))
        #expect(!locale("i", "de").isLike(locale("c")))
        #expect(!locale("b", "C").isLike(locale("b", "C.UTF-8")))
        #expect(!locale("i", "de", rules: "&V << w").isLike(locale("i", "de")))
    }

    @Test func `a server is too old for what later ones brought`() {
        #expect(locale("i", "de").lack(major: 14) == "locale provider icu")
        #expect(locale("i", "de").lack(major: 15) == nil)
        #expect(locale("i", "de", rules: "&V << w").lack(major: 15) == "ICU rules for a database")
        #expect(locale("i", "de", rules: "&V << w").lack(major: 16) == nil)
        #expect(locale("b", "C").lack(major: 16) == "locale provider builtin")
        #expect(locale("b", "C").lack(major: 17) == nil)
        for major in 14...18 { #expect(locale(nil).lack(major: major) == nil) }
    }
}
