import CArchive

/// Writes a zip archive piece by piece: what it returns is appended to the archive's file.
///
/// Sizes beyond 4 GB are written as Zip64. Files have mode 600, folders 700.
///
/// - SeeAlso: <https://github.com/libarchive/libarchive/wiki/ManPageArchiveWrite3>
public final class ZipWriter {
    private let archive: OpaquePointer
    private let sink = Sink()

    /// What libarchive has written and nobody has taken yet.
    private final class Sink {
        var bytes: [UInt8] = []
    }

    /// - Throws: `PackingError` with libarchive's own words.
    public init() throws {
        guard let archive = archive_write_new() else {
            throw PackingError("libarchive could not allocate an archive")
        }
        self.archive = archive
        try check(archive_write_set_format_zip(archive))
        try check(archive_write_set_bytes_in_last_block(archive, 1))
        let client = Unmanaged.passUnretained(sink).toOpaque()
        try check(
            archive_write_open(
                archive, client, nil,
                { _, client, source, count in
                    guard let client, let source else { return -1 }
                    let sink = Unmanaged<Sink>.fromOpaque(client).takeUnretainedValue()
                    sink.bytes.append(
                        contentsOf: UnsafeRawBufferPointer(start: source, count: count))
                    return count
                }, nil))
    }

    deinit {
        archive_write_free(archive)
    }

    /// Starts a file of exactly `byteCount` bytes, last modified at `modified` seconds since 1970.
    public func beginFile(_ name: String, byteCount: Int, modified: Int) throws {
        try begin(name, type: 0o100000, permissions: 0o600, byteCount: byteCount, modified)
    }

    /// Adds a folder.
    public func addFolder(_ name: String, modified: Int) throws {
        try begin(name + "/", type: 0o040000, permissions: 0o700, byteCount: 0, modified)
    }

    /// Adds bytes to the file begun last.
    public func append(_ bytes: [UInt8]) throws {
        let written = bytes.withUnsafeBytes {
            archive_write_data(archive, $0.baseAddress, $0.count)
        }
        guard written == bytes.count else { throw failure() }
    }

    /// The archive's next bytes; empty when there are none yet.
    public func takeOutput() -> [UInt8] {
        defer { sink.bytes = [] }
        return sink.bytes
    }

    /// Writes the archive's directory; `takeOutput()` then gives the last bytes.
    public func finish() throws {
        try check(archive_write_close(archive))
    }

    private func begin(
        _ name: String, type: UInt32, permissions: UInt32, byteCount: Int, _ modified: Int
    ) throws {
        guard let entry = archive_entry_new() else { throw failure() }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, name)
        archive_entry_set_filetype(entry, type)
        archive_entry_set_perm(entry, mode_t(permissions))
        archive_entry_set_size(entry, Int64(byteCount))
        archive_entry_set_mtime(entry, modified, 0)
        try check(archive_write_header(archive, entry))
    }

    private func check(_ code: Int32) throws {
        guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw failure() }
    }

    private func failure() -> PackingError {
        let words = archive_error_string(archive).map { String(cString: $0) }
        return PackingError("zip: \(words ?? "unknown failure")")
    }
}
