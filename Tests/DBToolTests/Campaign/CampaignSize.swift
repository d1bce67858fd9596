import BackupTesting
import Testing

/// How much there is in a shop.
enum CampaignSize {
    /// Every file is below a megabyte, every table one part and one batch.
    case small
    /// One table more, of some 40 MB: its files are flushed by themselves, several connections read it, and its joins go to
    /// temporary files where little memory is allowed.
    case large

    /// By the seed, large for a quarter of the attacks of a long campaign; each try takes seconds longer then.
    ///
    /// `purpose`: What tells apart those of one test.
    static func drawn(for purpose: String) -> CampaignSize {
        guard Attack.isLong else { return .small }
        let test = Test.current?.name ?? ""
        return Attack("size of \(test), \(purpose)").shuffled([.large, .small, .small, .small])[0]
    }

    /// The large table of 600,000 rows, whose rows are made of those of `people`.
    ///
    /// `digest`: What the product makes of a text, `%` in its place, that does not pack: MySQL 9.7 has no `MD5` any more.
    func opening(digest: String) -> String {
        guard self == .large else { return "" }
        let note = digest.replacing("%", with: "CONCAT(a.id, ' ', b.id)")
        return """
            CREATE TABLE sales (id integer PRIMARY KEY, note text);
            INSERT INTO sales SELECT (b.id - 1) * 1000 + a.id, \(note)
            FROM people a CROSS JOIN (SELECT id FROM people WHERE id <= 600) b;
            """
    }

    /// What is sold of it between one backup and the next: its rows come in another order then, and what is written is more than
    /// a megabyte.
    func change(_ number: Int) -> String {
        guard self == .large else { return "" }
        return """
            ; UPDATE sales SET note = CONCAT(note, '.') WHERE id % 25 = \(number);
            DELETE FROM sales WHERE id % 200 = \(number)
            """
    }
}
