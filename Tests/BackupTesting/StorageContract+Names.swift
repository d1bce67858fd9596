import BackupCore

/// Lists, removals and locks.
extension StorageContract {
    static let listing: [ContractCheck<any Storage>] = [
        ContractCheck("a folder lists what lies directly in it, in order") { storage in
            for path in ["b", "a", "c/d/e", "c/f", "B", "c.x"] {
                try await storage.write(name(path), bytes: [1, 2])
            }
            let root = try await storage.list(nil)
            try demand(root.map(\.name.last), equals: ["B", "a", "b", "c", "c.x"], "the root")
            try demand(
                root.map(\.isFolder), equals: [false, false, false, true, false], "folders")
            try demand(root.map(\.byteCount), equals: [2, 2, 2, 0, 2], "sizes")
            let folder = try await storage.list(name("c"))
            try demand(folder.map(\.name), equals: [name("c/d"), name("c/f")], "c")
        },
        ContractCheck("a folder that does not exist is empty") { storage in
            try demand(await storage.list(nil).isEmpty, "the root")
            try demand(await storage.list(name("no/folder")).isEmpty, "another")
        },
        ContractCheck("an entry tells what has a name") { storage in
            try await storage.write(name("folder/thing"), bytes: [1, 2, 3])
            let thing = StorageEntry(name: try name("folder/thing"), isFolder: false, byteCount: 3)
            let folder = StorageEntry(name: try name("folder"), isFolder: true, byteCount: 0)
            try demand(await storage.entry(name("folder/thing")), equals: thing, "the thing")
            try demand(await storage.entry(name("folder")), equals: folder, "the folder")
            for path in ["thing", "folder/thin", "folder/thing/below"] {
                try demand(await storage.entry(name(path)), equals: nil, path)
            }
        },
        ContractCheck("space is a number of bytes or unknown") { storage in
            try demand(await storage.availableBytes() ?? 1 > 0, "no space")
            try await storage.checkWritable()
        },
    ]

    static let removing: [ContractCheck<any Storage>] = [
        ContractCheck("a removed thing is gone and its neighbours stay") { storage in
            for path in ["folder/a", "folder/ab"] {
                try await storage.write(name(path), bytes: [1])
            }
            try await storage.remove(name("folder/a"))
            let names = try await storage.list(name("folder")).map(\.name.last)
            try demand(names, equals: ["ab"], "names in the folder")
        },
        ContractCheck("a removed folder is gone with all it holds") { storage in
            for path in ["folder/a", "folder/below/deep/b", "folder2/c"] {
                try await storage.write(name(path), bytes: [1])
            }
            try await storage.remove(name("folder"))
            try demand(await storage.entry(name("folder")), equals: nil, "the folder")
            try demand(await storage.entry(name("folder/below/deep/b")), equals: nil, "a thing")
            try demand(await storage.list(nil).map(\.name.last), equals: ["folder2"], "the root")
        },
        ContractCheck("removing what is missing is no error") { storage in
            try await storage.remove(name("missing"))
            try await storage.remove(name("missing/thing"))
        },
        ContractCheck("a removed name can be written again") { storage in
            try await storage.write(name("a/b"), bytes: [1])
            try await storage.remove(name("a"))
            try await storage.write(name("a/b"), bytes: [2])
            try demand(await storage.bytes(of: name("a/b")), equals: [2], "the thing")
        },
    ]

    static let locking: [ContractCheck<any Storage>] = [
        ContractCheck("a lock that is held is refused at once, naming its holder") { storage in
            try await storage.withLock(name(".lock/a"), holder: "the first run") {
                let error = try await demandError("the second lock") {
                    try await storage.withLock(name(".lock/a"), holder: "the second") {}
                }
                let refusal = error as? BackupError
                try demand(refusal?.code == .locked, "another error: \(error)")
                try demand(
                    refusal?.message.contains("the first run") == true, "no holder: \(error)")
            }
        },
        ContractCheck("the holder of a lock is told while it is held") { storage in
            try demand(
                await storage.holder(ofLock: name(".lock/a")), equals: nil, "the first holder")
            try demand(await storage.list(nil).isEmpty, "asking has written something")
            try await storage.withLock(name(".lock/a"), holder: "the first run") {
                try demand(
                    await storage.holder(ofLock: name(".lock/a")), equals: "the first run",
                    "the holder")
            }
            try demand(
                await storage.holder(ofLock: name(".lock/a")), equals: nil, "the last holder")
        },
        ContractCheck("locks of different names do not exclude each other") { storage in
            let result = try await storage.withLock(name(".lock/a"), holder: "a") {
                try await storage.withLock(name(".lock/b"), holder: "b") { 42 }
            }
            try demand(result, equals: 42, "the result")
        },
        ContractCheck("a lock is free again when its body ends, however it ends") { storage in
            for round in 1...50 {
                _ = try await demandError("round \(round)") {
                    try await storage.withLock(name(".lock/a"), holder: "a") {
                        throw DeliberateFailure()
                    }
                }
                let got = try await storage.withLock(name(".lock/a"), holder: "a") { round }
                try demand(got, equals: round, "the result")
            }
        },
        ContractCheck("of several tasks at once only one is inside") { storage in
            let inside = InsideCounter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 1...8 {
                    group.addTask {
                        for _ in 1...50 {
                            do {
                                try await storage.withLock(name(".lock/a"), holder: "\(task)") {
                                    await inside.enter()
                                    await Task.yield()
                                    await inside.leave()
                                }
                            } catch let error as BackupError where error.code == .locked {
                                await Task.yield()
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try demand(await inside.maximum, equals: 1, "tasks inside at a time")
        },
    ]
}
