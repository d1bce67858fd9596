import BackupTesting
import Testing

@testable import BackupCore

@Suite struct FingerprintTests {
    private static let rows = (1...50).map { ["\($0)", "row \($0)"] as [String?] }

    @Test func `the order of rows does not matter`() {
        let one = RowBatch(rows: Self.rows).fingerprint(seed: 7)
        let other = RowBatch(rows: Self.rows.shuffled()).fingerprint(seed: 7)
        #expect(one == other)
        #expect(one.rows == 50)
    }

    @Test func `parts add up to the whole`() {
        var sum = Fingerprint()
        for part in [Self.rows[..<13], Self.rows[13..<13], Self.rows[13...]] {
            sum += RowBatch(rows: part).fingerprint(seed: 7)
        }
        #expect(sum == RowBatch(rows: Self.rows).fingerprint(seed: 7))
    }

    @Test func `another row, a missing row and a row twice are all seen`() {
        let whole = RowBatch(rows: Self.rows).fingerprint(seed: 7)
        var changed = Self.rows
        changed[3] = ["4", "row 5"]
        for rows in [changed, Self.rows.dropLast(), Self.rows + [Self.rows[0]]] as [[[String?]]] {
            #expect(RowBatch(rows: rows).fingerprint(seed: 7) != whole)
        }
    }

    @Test func `NULL and the empty string have different hashes`() {
        let null = RowBatch(rows: [["1", nil]]).fingerprint(seed: 7)
        let empty = RowBatch(rows: [["1", ""]]).fingerprint(seed: 7)
        #expect(null.sum != empty.sum)
    }

    @Test func `another seed gives another sum`() {
        let batch = RowBatch(rows: Self.rows)
        #expect(batch.fingerprint(seed: 7).sum != batch.fingerprint(seed: 8).sum)
    }

    @Test func `a sum beyond 64 bits begins again at zero`() {
        var fingerprint = Fingerprint(rows: 1, sum: .max)
        fingerprint.add(rowHash: 2)
        #expect(fingerprint == Fingerprint(rows: 2, sum: 1))
        #expect(StoredFingerprint(fingerprint).sum == "0000000000000001")
    }
}
