// swift-tools-version: 6.2
import PackageDescription

// The map of the house. Dependencies point down only: the core knows no database, no network
// and no terminal; a target exists only where a foreign thing enters.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "dbtool",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "dbtool", targets: ["DBTool"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    ],
    targets: [
        // The front door: the only target that knows everyone.
        .executableTarget(
            name: "DBTool",
            dependencies: [
                "BackupCore", "CLinux", "MySQLEngine", "PostgresEngine", "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),

        // What a person sees; knows no backup.
        .target(name: "Terminal", dependencies: ["CEdit"], swiftSettings: strict),

        // A database product: the only target that speaks libpq and runs pg_dump.
        .target(
            name: "PostgresEngine",
            dependencies: [
                "BackupCore", "CPostgres",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),

        // Two products that speak one protocol: the only target that speaks libmariadb.
        .target(
            name: "MySQLEngine", dependencies: ["BackupCore", "CMariaDB"], swiftSettings: strict),

        // The mission: rows to files and back, chains, proof.
        .target(name: "BackupCore", dependencies: ["CLinux", "Packing"], swiftSettings: strict),

        // Bytes in, bytes out.
        .target(
            name: "Packing",
            dependencies: [
                "CArchive", "CXXHash", "CZstd",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),

        // C libraries: a module map and a shim header each.
        .systemLibrary(
            name: "CPostgres", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CMariaDB", pkgConfig: "libmariadb",
            providers: [.apt(["libmariadb-dev"]), .brew(["mariadb-connector-c"])]),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(
            name: "CEdit", pkgConfig: "libedit",
            providers: [.apt(["libedit-dev"]), .brew(["libedit"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(
            name: "CArchive", pkgConfig: "libarchive",
            providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash",
            providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),

        // Contract suites, in-memory doubles and real servers, shared by the tests below.
        .target(
            name: "BackupTesting",
            dependencies: [
                "BackupCore",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Tests/BackupTesting",
            swiftSettings: strict
        ),
        .testTarget(name: "PackingTests", dependencies: ["Packing"], swiftSettings: strict),
        .testTarget(
            name: "BackupCoreTests",
            dependencies: ["BackupCore", "BackupTesting", "Packing"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PostgresEngineTests",
            dependencies: ["BackupCore", "BackupTesting", "PostgresEngine"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "MySQLEngineTests",
            dependencies: ["BackupCore", "BackupTesting", "MySQLEngine"],
            swiftSettings: strict
        ),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"], swiftSettings: strict),
        .testTarget(
            name: "DBToolTests",
            dependencies: [
                "BackupCore", "BackupTesting", "DBTool", "Packing", "PostgresEngine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict
        ),
    ]
)
