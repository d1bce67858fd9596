import BackupTesting
import Foundation

/// Where others on a network would reach this machine.
enum NetworkAddress {
    /// An address of four bytes that is not one of the machine's own.
    ///
    /// - Throws: Where there is none, as on a machine without a network.
    static func ofThisMachine() throws -> String {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0, let first = list else {
            throw ProgramFailure("no addresses: errno \(errno)")
        }
        defer { freeifaddrs(first) }
        for entry in sequence(first: first, next: { $0.pointee.ifa_next }) {
            guard let address = entry.pointee.ifa_addr, entry.pointee.ifa_flags & loopback == 0,
                Int32(address.pointee.sa_family) == AF_INET
            else { continue }
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard
                getnameinfo(
                    address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            else { continue }
            return String(
                decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        throw ProgramFailure("this test needs an address of a network, and this machine has none")
    }

    private static let loopback = UInt32(IFF_LOOPBACK)
}
