import BackupTesting
import Foundation
import Synchronization

/// Stands between a program and servers on this machine, leads connections to them in turn, passes so many bytes, and
/// then fails.
final class FailingProxy: Sendable, CustomStringConvertible {
    /// How it fails.
    enum Failure: CaseIterable {
        /// Every connection ends.
        case cut
        /// Connections stay and say nothing any more.
        case silent
        /// One bit is passed as another one, and everything else as it is; not where MySQL greets and is answered, before anything
        /// is encrypted.
        case flipped

        /// Whether somebody may wait for what never comes: of what is longer than was said, too.
        var mayHang: Bool { self != .cut }
    }

    /// Where it listens, on 127.0.0.1, or on all addresses of this machine.
    let port: UInt16
    private let servers: [UInt16]
    private let listener: Int32
    private let bytes: Int
    private let failure: Failure
    private let passed = Atomic(0)
    private let hasFlipped = Atomic(false)
    /// What a connection says at most before it is encrypted, in each direction.
    private static let clearBytes = 200
    private let open = Mutex<[Int32]>([])
    private let threads = DispatchGroup()

    var description: String { "\(failure) after \(bytes) bytes" }

    /// Whether somebody has had more to say than it passes, or got another bit.
    var hasFailed: Bool {
        failure == .flipped
            ? hasFlipped.load(ordering: .relaxed) : passed.load(ordering: .relaxed) > bytes
    }

    /// `isOnNetwork`: Whether it listens on all addresses.
    init(
        to servers: UInt16..., after bytes: Int = .max, by failure: Failure = .cut,
        isOnNetwork: Bool = false
    ) throws {
        (self.servers, self.bytes, self.failure) = (servers, bytes, failure)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        if isOnNetwork { address.sin_addr.s_addr = 0 }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw ProgramFailure("no proxy: errno \(errno)") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        beside { self.accept() }
    }

    private func beside(_ body: @escaping @Sendable () -> Void) {
        threads.enter()
        Thread.detachNewThread { [threads] in
            body()
            threads.leave()
        }
    }

    /// Ends it and every connection.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        open.withLock { all in all.forEach { _ = shutdown($0, Int32(SHUT_RDWR)) } }
        // A number that is free too early would be another test's file.
        threads.wait()
        open.withLock { all in all.forEach { _ = close($0) } }
        close(listener)
    }

    private func accept() {
        for turn in 0... {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.address(servers[turn % servers.count])
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(other, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard connected else {
                close(client)
                close(other)
                continue
            }
            open.withLock { $0 += [client, other] }
            beside { self.pump(client, other) }
            beside { self.pump(other, client) }
        }
    }

    private func pump(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var said = 0
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let (before, after) = passed.add(count, ordering: .relaxed)
            if after > bytes {
                // Whoever waits for an answer waits for ever.
                if failure == .silent { return }
                if failure == .cut { break }
                let place = before <= bytes ? bytes - before : bytes % count
                if said + place >= Self.clearBytes,
                    !hasFlipped.exchange(true, ordering: .relaxed)
                {
                    buffer[place] ^= 1 << UInt8(bytes % 8)
                }
            }
            said += count
            var sent = 0
            while sent < count {
                let more = send(
                    to, Array(buffer[sent..<count]), count - sent, Int32(MSG_NOSIGNAL))
                guard more > 0 else { break }
                sent += more
            }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
