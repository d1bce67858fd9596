#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Who is at the other end of a socket.
public enum SocketPeer {
    /// Whether it is this machine, so that nobody on a network could listen.
    ///
    /// What a connection was told of its host does not say that: a name may lead anywhere, and an address beside it
    /// elsewhere.
    public static func isThisMachine(_ socket: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getpeername(socket, $0, &length)
            }
        }
        return result == 0 && isThisMachine(address)
    }

    /// The same of a name or an address, for whoever has no socket any more: wherever it leads.
    ///
    /// May wait for a server of names.
    public static func isThisMachine(host: String) -> Bool {
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, nil, &list) == 0, let first = list else { return false }
        defer { freeaddrinfo(first) }
        for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
            guard let found = entry.pointee.ai_addr else { return false }
            var address = sockaddr_storage()
            withUnsafeMutableBytes(of: &address) {
                $0.copyMemory(
                    from: UnsafeRawBufferPointer(
                        start: found, count: min($0.count, Int(entry.pointee.ai_addrlen))))
            }
            guard isThisMachine(address) else { return false }
        }
        return true
    }

    private static func isThisMachine(_ address: sockaddr_storage) -> Bool {
        switch Int32(address.ss_family) {
        case AF_UNIX: return true
        case AF_INET:
            let number = withUnsafeBytes(of: address) { $0.load(as: sockaddr_in.self).sin_addr }
            return isLoopback(withUnsafeBytes(of: number) { Array($0) })
        case AF_INET6:
            let number = withUnsafeBytes(of: address) { $0.load(as: sockaddr_in6.self).sin6_addr }
            return isLoopback(withUnsafeBytes(of: number) { Array($0) })
        default: return false
        }
    }

    /// Whether an address, four bytes or sixteen, is of 127.0.0.0/8, the same within sixteen, or `::1`.
    static func isLoopback(_ address: [UInt8]) -> Bool {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        switch address.count {
        case 4: return address[0] == 127
        case 16 where address.starts(with: mapped): return address[12] == 127
        case 16: return address == [UInt8](repeating: 0, count: 15) + [1]
        default: return false
        }
    }
}
