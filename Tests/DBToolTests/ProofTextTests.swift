import BackupCore
import Foundation
import Testing

@testable import DBTool

@Suite struct ProofTextTests {
    private static let now = Timestamp(Date(timeIntervalSince1970: 1_800_000_000))

    private static func proof(hoursAgo: Double, passed: Bool = true) -> BackupState.Proof {
        let date = now.date.addingTimeInterval(-hoursAgo * 3600)
        return BackupState.Proof(at: Timestamp(date), passed: passed, seconds: 12.3)
    }

    @Test(
        arguments: [
            (nil, true, "never", "never", "never"), (nil, false, "unknown", "unknown", "unknown"),
            (
                proof(hoursAgo: 3), true, "3 h ago", "3 h ago, 12 s",
                "passed (2027-01-15 05:00:00 UTC, 3 h ago) in 12 s"
            ),
            (
                proof(hoursAgo: 72, passed: false), true, "FAILED 3 d ago", "FAILED 3 d ago, 12 s",
                "FAILED (2027-01-12 08:00:00 UTC, 3 d ago) in 12 s"
            ),
        ] as [(BackupState.Proof?, Bool, String, String, String)])
    func `a proof says when, how it ended and how long it took`(
        proof: BackupState.Proof?, isKnown: Bool, short: String, withDuration: String, long: String
    ) {
        let text = ProofText(proof: proof, isKnown: isKnown, now: Self.now)
        #expect(text.short == short)
        #expect(text.withDuration == withDuration)
        #expect(text.long == long)
    }
}
