import BackupCore
import Testing

@testable import PostgresEngine

/// Which roles a restore needs.
@Suite struct PostgresServerCheckTests {
    private static let script = PostgresScript(
        text: """
            CREATE TABLE public.t (i integer);
            ALTER TABLE public.t OWNER TO app;
            GRANT SELECT ON TABLE public.t TO reader;
            CREATE USER MAPPING FOR mapped SERVER beyond;
            """)

    /// Backups of older dbtools name the role that made the server where somebody has had a temporary table.
    @Test func `only roles that the script names are needed`() {
        let roles = roles(hasLargeObjects: false)
        #expect(Set(roles.all) == ["app", "reader", "mapped"] && roles.owners == ["app"])
    }

    @Test func `all roles of a backup are needed that large objects may belong to`() {
        let roles = roles(hasLargeObjects: true)
        #expect(roles.all == Self.known && roles.owners == ["app", "postgres"])
    }

    @Test func `without owners nobody is needed who only owns large objects`() {
        let roles = roles(hasLargeObjects: true) { $0.omitsOwners = true }
        #expect(Set(roles.all) == ["app", "reader", "mapped"] && roles.owners.isEmpty)
    }

    @Test func `without owners and grants those are needed that are part of what is made`() {
        for hasLargeObjects in [false, true] {
            let roles = roles(hasLargeObjects: hasLargeObjects) {
                $0.omitsOwners = true
                $0.omitsPrivileges = true
            }
            #expect(roles.all == ["mapped"] && roles.owners.isEmpty)
        }
    }

    private static let known = ["app", "mapped", "postgres", "reader"]

    private func roles(
        hasLargeObjects: Bool, _ change: (inout TargetRequest) -> Void = { _ in }
    ) -> (all: [String], owners: [String]) {
        var request = TargetRequest(
            database: "x",
            definition: SchemaDefinition(
                sql: [], dump: nil, roles: Self.known, owners: ["app", "postgres"]),
            sourceVersion: "18", encoding: "UTF8", databaseProperties: [:])
        change(&request)
        return PostgresServerCheck(request: request).roles(
            of: Self.script, among: Self.known, hasLargeObjects: hasLargeObjects)
    }
}
