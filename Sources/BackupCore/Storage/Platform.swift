internal import CLinux

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Calls whose meaning or name differs between systems: the only such place.
enum Platform {
    static func read(_ file: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Darwin)
            Darwin.read(file, buffer, count)
        #else
            Glibc.read(file, buffer, count)
        #endif
    }

    static func write(_ file: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Darwin)
            Darwin.write(file, buffer, count)
        #else
            Glibc.write(file, buffer, count)
        #endif
    }

    /// Lets the system begin to write a piece of a file to the disk, and waits for nothing.
    static func beginFlush(_ file: Int32, from offset: Int, count: Int) {
        #if os(Linux)
            // Only a hint: the flush at the end waits for everything.
            _ = dbtool_begin_flush(file, offset, count)
        #endif
    }

    /// Waits until the bytes are on the disk itself; on macOS `fsync` stops at the drive's cache.
    static func flush(_ file: Int32) -> Int32 {
        #if canImport(Darwin)
            fcntl(file, F_FULLFSYNC)
        #else
            fsync(file)
        #endif
    }

    @discardableResult
    static func close(_ file: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.close(file)
        #else
            Glibc.close(file)
        #endif
    }
}
