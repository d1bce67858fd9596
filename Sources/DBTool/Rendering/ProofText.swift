import BackupCore
import Foundation
import Terminal

/// What a proof of a backup says in a few words.
struct ProofText {
    let proof: BackupState.Proof?
    /// False when the state could not be read: then not even `never` is certain.
    let isKnown: Bool
    let now: Timestamp

    /// `3 h ago`, `FAILED 3 h ago`, `never`, `unknown`.
    var short: String {
        guard let proof else { return isKnown ? "never" : "unknown" }
        return (proof.passed ? "" : "FAILED ") + "\(proof.at.age(at: now)) ago"
    }

    /// With how long it took, in one unit: `3 h ago, 12 s`.
    var withDuration: String {
        guard let proof else { return short }
        return "\(short), \(NumberText.age(seconds: proof.seconds.rounded()))"
    }

    /// In full, with its time.
    var long: String {
        guard let proof else { return short }
        let result = proof.passed ? "passed" : "FAILED"
        let time = "\(proof.at.forPeople) UTC, \(proof.at.age(at: now)) ago"
        return "\(result) (\(time)) in \(NumberText.duration(seconds: proof.seconds))"
    }
}

extension Timestamp {
    /// How long ago it is, in one unit.
    func age(at now: Timestamp) -> String {
        NumberText.age(seconds: now.date.timeIntervalSince(date))
    }
}
