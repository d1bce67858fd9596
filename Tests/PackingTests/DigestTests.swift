import Packing
import Testing

@Suite struct DigestTests {
    /// - SeeAlso: <https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values>
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `SHA-256 is that of the standard`(text: String, digest: String) {
        #expect(SHA256Stream.hexDigest(of: Array(text.utf8)) == digest)
    }

    @Test func `a million letters give the digest of the standard`() {
        var stream = SHA256Stream()
        for _ in 1...1000 { stream.update(Array(repeating: UInt8(ascii: "a"), count: 1000)) }
        #expect(
            stream.hexDigest()
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `a digest does not depend on the pieces`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for cut in [0, 1, 63, 64, 65, 999, 1000] {
            var stream = SHA256Stream()
            stream.update(Array(bytes[..<cut]))
            stream.update(Array(bytes[cut...]))
            #expect(stream.hexDigest() == SHA256Stream.hexDigest(of: bytes), "cut at \(cut)")
        }
    }

    @Test func `a digest can be looked at before the end`() {
        var stream = SHA256Stream()
        stream.update(Array("ab".utf8))
        _ = stream.hexDigest()
        stream.update(Array("c".utf8))
        #expect(stream.hexDigest() == SHA256Stream.hexDigest(of: Array("abc".utf8)))
    }

    /// Vectors of `XSUM_XXH3_64b` in xxHash's own sanity test: its generated buffer, cut to a length.
    ///
    /// - SeeAlso: <https://github.com/Cyan4973/xxHash/blob/dev/tests/sanity_test_vectors.h>
    @Test(
        arguments: [
            (0, 0, 0x2D06_8005_38D3_94C2), (0, 0x9E37_79B1_85EB_CA8D, 0xA8A6_B918_B2F0_364A),
            (1, 0, 0xC44B_DFF4_074E_ECDB), (1, 0x9E37_79B1_85EB_CA8D, 0x032B_E332_DD76_6EF8),
            (6, 0, 0x27B5_6A84_CD2D_7325), (6, 0x9E37_79B1_85EB_CA8D, 0x8458_9C11_6AB5_9AB9),
            (12, 0, 0xA713_DAF0_DFBB_77E7), (12, 0x9E37_79B1_85EB_CA8D, 0xE730_3E1B_2336_DE0E),
            (24, 0, 0xA3FE_70BF_9D35_10EB), (24, 0x9E37_79B1_85EB_CA8D, 0x850E_80FC_35BD_D690),
            (48, 0, 0x397D_A259_ECBA_1F11), (48, 0x9E37_79B1_85EB_CA8D, 0xADC2_CBAA_44AC_C616),
            (80, 0, 0xBCDE_FBBB_2C47_C90A), (80, 0x9E37_79B1_85EB_CA8D, 0xC6DD_0CB6_9953_2E73),
            (195, 0, 0xCD94_217E_E362_EC3A), (195, 0x9E37_79B1_85EB_CA8D, 0xBA68_003D_370C_B3D9),
            (403, 0, 0xCDEB_804D_65C6_DEA4), (403, 0x9E37_79B1_85EB_CA8D, 0x6259_F6EC_FD64_43FD),
            (2048, 0, 0xDD59_E2C3_A5F0_38E0), (2048, 0x9E37_79B1_85EB_CA8D, 0x66F8_1670_669A_BABC),
        ] as [(Int, UInt64, UInt64)])
    func `a row hash is XXH3-64 under its seed`(count: Int, seed: UInt64, hash: UInt64) {
        let found = Self.sanityBuffer(count).withUnsafeBytes { RowHash.hash($0, seed: seed) }
        #expect(found == hash, "\(Hex.string(of: found))")
    }

    @Test func `a hash of pieces is that of the whole, and can be begun anew`() throws {
        let stream = try StreamHash(seed: 77)
        for count in [0, 1, 63, 64, 240, 241, 1024, 5000] {
            let bytes = Self.sanityBuffer(count)
            let whole = bytes.withUnsafeBytes { RowHash.hash($0, seed: 77) }
            for cut in [0, 1, 63, 256, 1023, count] where cut <= count {
                stream.update(bytes[..<cut])
                _ = stream.value
                stream.update(bytes[cut...])
                #expect(stream.value == whole, "\(count) bytes, cut at \(cut)")
                stream.reset()
            }
        }
    }

    @Test func `hex has all digits, lower case, most significant first`() {
        #expect(Hex.string(of: [0, 1, 15, 16, 171, 255] as [UInt8]) == "00010f10abff")
        #expect(Hex.string(of: 0x0123_4567_89AB_CDEF as UInt64) == "0123456789abcdef")
        #expect(Hex.string(of: 0 as UInt64) == "0000000000000000")
        #expect(Hex.string(of: [] as [UInt8]) == "")
    }

    private static func sanityBuffer(_ count: Int) -> [UInt8] {
        var generator: UInt64 = 2_654_435_761
        return (0..<count).map { _ in
            defer { generator &*= 11_400_714_785_074_694_797 }
            return UInt8(truncatingIfNeeded: generator >> 56)
        }
    }
}
