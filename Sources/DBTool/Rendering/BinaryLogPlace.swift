import BackupCore
import MySQLEngine

/// Where a backup of MySQL or MariaDB is in the binary log of its server.
struct BinaryLogPlace: Encodable {
    let file: String?
    let position: Int?
    /// In the server's own words: MySQL's set of all until then, MariaDB's last of each domain.
    let transactions: String?

    /// Nil where nobody knows.
    init?(_ metadata: Metadata) {
        guard metadata.engine == "mysql", let place = MySQLLogPlace(of: metadata.sourceIdentity)
        else { return nil }
        file = place.file
        position = place.position.flatMap { Int($0) }
        transactions = [place.executed, place.domains].compactMap(\.self).first { !$0.isEmpty }
        guard file != nil || transactions != nil else { return nil }
    }

    /// `binlog.000007 at 4711, transactions 0-1-100`.
    var line: String {
        let end = file.map { file in position.map { "\(file) at \($0)" } ?? file }
        return [end, transactions.map { "transactions \($0)" }].compactMap(\.self)
            .joined(separator: ", ")
    }
}
