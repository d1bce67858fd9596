import BackupTesting
import Foundation
import Testing

/// A pooler in transaction mode gives a restore's sessions to others.
@Suite struct RestorePoolerTests {
    @Test(arguments: TestServer.all)
    func `a pooler in transaction mode is refused, and its sessions stay as they were`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.withPooler { pooled in
                let application = bench.existingDatabase(target.name, on: pooled)
                let settings = "SHOW search_path; SHOW synchronous_commit; SHOW row_security"
                let before = try await application.query(settings)
                let end = try await bench.restore(
                    tables: ["pets"], into: application, ["--existing", "truncate"])
                end.expect(code: 5, saying: "session changes between transactions", "pooler")
                let drill = try await bench.drilling {
                    try await bench.dbtool(
                        [
                            "verify", backup.id, "-path", bench.repository, "--drill",
                            "--same-server",
                        ]
                            + bench.connection(to: pooled))
                }
                drill.expect(code: 5, saying: "session changes between transactions")
                for database in [target.name, "postgres"] {
                    let application = bench.existingDatabase(database, on: pooled)
                    #expect(try await application.query(settings) == before)
                }
            }
            try await bench.expectEqual(source, target)
        }
    }
}

extension Workbench {
    /// Runs `body` with a pooler in front of the server that has one session for each database, and lends it to one
    /// transaction after another.
    fileprivate func withPooler(_ body: (TestServer) async throws -> Void) async throws {
        let program = try write(Self.pooler, to: "pooler.py")
        let file = "\(folder)/pooler.port"
        _ = try await Program.run(
            "/usr/bin/env", ["python3", program, server.host, server.port, file],
            environment: environment, folder: folder
        ) { running in
            try await eventually("the pooler listens") {
                FileManager.default.fileExists(atPath: file)
            }
            let port = try String(contentsOfFile: file, encoding: .utf8)
            try await body(
                server.another(
                    at: "postgresql://\(server.superuser)@127.0.0.1:\(port)/postgres"))
            try running.send(SIGKILL)
        }
    }

    private static let pooler = #"""
        import os, socket, struct, sys, threading

        def exact(peer, count):
            data = b''
            while len(data) < count:
                piece = peer.recv(count - len(data))
                if not piece: raise EOFError
                data += piece
            return data

        def message(peer):
            head = exact(peer, 5)
            return head[:1], head + exact(peer, struct.unpack('!I', head[1:])[0] - 4)

        class Pool:
            def __init__(self, startup):
                self.lock, self.greeting = threading.Lock(), b''
                self.server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
                self.server.sendall(startup)
                kind = b''
                while kind != b'Z':
                    kind, data = message(self.server)
                    if kind == b'E': raise EOFError
                    self.greeting += data

            def clear(self):
                self.server.sendall(b'Q' + struct.pack('!I', 13) + b'ROLLBACK\0')
                while message(self.server)[0] != b'Z': pass

        pools, guard = {}, threading.Lock()

        def startup(client):
            while True:
                size = exact(client, 4)
                body = exact(client, struct.unpack('!I', size)[0] - 4)
                code = struct.unpack('!I', body[:4])[0]
                if code not in (80877103, 80877104): return code, size + body
                client.sendall(b'N')

        def serve(client):
            pool, held = None, False
            try:
                code, words = startup(client)
                if code == 80877102: return
                parts = words[8:].split(b'\0')
                database = dict(zip(parts[::2], parts[1::2]))[b'database']
                with guard:
                    if database not in pools: pools[database] = Pool(words)
                pool = pools[database]
                client.sendall(pool.greeting)
                while True:
                    kind, data = message(client)
                    if kind == b'X': return
                    if not held: held = pool.lock.acquire()
                    pool.server.sendall(data)
                    if kind not in b'QS': continue
                    kind = b''
                    while kind != b'Z':
                        kind, data = message(pool.server)
                        client.sendall(data)
                        if kind in b'GHW': os._exit(1)
                    if data[5:] == b'I':
                        pool.lock.release()
                        held = False
            except (EOFError, OSError):
                pass
            finally:
                if held:
                    pool.clear()
                    pool.lock.release()
                client.close()

        listener = socket.create_server(('127.0.0.1', 0))
        with open(sys.argv[3] + '.part', 'w') as file: file.write(str(listener.getsockname()[1]))
        os.rename(sys.argv[3] + '.part', sys.argv[3])
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """#
}
