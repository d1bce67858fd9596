import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresRestoreMarkTests {
    /// Otherwise what an older version has begun could not be gone on with.
    @Test func `the words of a mark are those of older versions`() throws {
        var request = TargetRequest(
            database: "shop", definition: SchemaDefinition(sql: [], dump: nil), sourceVersion: "",
            encoding: "UTF8", databaseProperties: [:])
        #expect(
            PostgresRestoreMark.words(request)
                == "everything create=false tables= as= existing= clean=false no-owner=false no-privileges=false"
        )
        request.creates = true
        request.patterns = try [TablePattern("b c"), TablePattern("\"a\"")]
        request.newName = try TablePattern("d")
        request.existing = .truncate
        request.drops = true
        request.content = .rows
        (request.omitsOwners, request.omitsPrivileges, request.omitsTablespaces) = (
            true, true, true
        )
        #expect(
            PostgresRestoreMark.words(request)
                == "rows create=true tables=\"a\" b c as=d existing=truncate clean=true no-owner=true "
                + "no-privileges=true no-tablespaces")
    }
}
