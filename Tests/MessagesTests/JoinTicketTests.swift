import Messages
import Testing

@Suite struct JoinTicketTests {
    private let key = "apus1:" + String(repeating: "0a", count: 32) + ":" + String(repeating: "b0", count: 32)
    private let run = String(repeating: "1f", count: 32)
    private let runBytes = [UInt8](repeating: 0x1f, count: 32)

    @Test func addressesReadBack() throws {
        for host in ["lab.example.org", "192.0.2.7", "2001:db8::1", "localhost"] {
            for invite in [nil, "a-B_c.~9"] {
                let ticket = try JoinTicket(host: host, port: 7000, run: runBytes, key: key, invite: invite)
                #expect(try JoinTicket(ticket.url) == ticket)
                #expect(try JoinTicket(ticket.toml) == ticket)
            }
        }
    }

    @Test func theAddressLooksAsPromised() throws {
        let ticket = try JoinTicket("apus://lab:7000/?run=\(run)&key=\(key)&invite=xyz")
        #expect(ticket.host == "lab")
        #expect(ticket.port == 7000)
        #expect(ticket.run == runBytes)
        #expect(ticket.key == key)
        #expect(ticket.invite == "xyz")
        #expect(ticket.endpoint == "tcp://lab:7000")
        #expect(ticket.url == "apus://lab:7000/?run=\(run)&key=\(key)&invite=xyz")
        #expect(try JoinTicket("apus://[::1]:7000?run=\(run)&key=\(key)").endpoint == "tcp://[::1]:7000")
    }

    @Test func pastedAddressesAreForgiven() throws {
        let url = "apus://lab:7000/?run=\(run)&key=\(key)"
        let encoded = url.replacing("apus1:", with: "apus1%3A")
        #expect(try JoinTicket("  \(url)\n") == JoinTicket(url))
        #expect(try JoinTicket(encoded) == JoinTicket(url))
        #expect(
            try JoinTicket("# the demo\n\nhost=\"lab\"\n port = 7000\nrun = \"\(run)\"\nkey = \"\(key)\"\n")
                == JoinTicket(url))
    }

    @Test func faultsNameTheirPart() {
        let good = "run=\(run)&key=\(key)"
        for (text, part) in [
            ("", "host"), ("hello", "hello"), ("http://lab:7000/?\(good)", "http://lab:7000/?run"),
            ("apus://lab:7000", "address"), ("apus://lab?\(good)", "port"), ("apus://lab:0/?\(good)", "port"),
            ("apus://lab:65536/?\(good)", "port"), ("apus://lab:+7/?\(good)", "port"),
            ("apus://:7000/?\(good)", "host"), ("apus://a b:7000/?\(good)", "host"),
            ("apus://::1:7000/?\(good)", "host"), ("apus://lab:7000/?key=\(key)", "run"),
            ("apus://lab:7000/?run=\(run)", "key"), ("apus://lab:7000/?run=12&key=\(key)", "run"),
            ("apus://lab:7000/?run=\(run)&key=apus1:00:00", "key"), ("apus://lab:7000/?\(good)&run=\(run)", "run"),
            ("apus://lab:7000/?\(good)&extra=1", "extra"), ("apus://lab:7000/?\(good)&invite=", "invite"),
            ("apus://lab:7000/?\(good)&invite=a%0ab", "invite"), ("apus://lab:7000/?\(good)&invite=%zz", "invite=%zz"),
            ("apus://lab:7000/?\(good)&host=evil", "host"), (String(repeating: "a", count: 5000), "address"),
            ("host = \"lab\"\nport = 7000\nrun = \"\(run)\"", "key"),
            ("host = \"lab\"\nport = \"x\"\nrun = \"\(run)\"\nkey = \"\(key)\"", "port"),
            ("host = \"la\\\"b\"\n", "host"),
        ] {
            let error = #expect(throws: JoinTicketError.self, "\(text)") { try JoinTicket(text) }
            #expect(error?.part == part, "\(text)")
        }
    }

    @Test func mutatedAddressesNeverCrash() {
        var random = Generator(state: 4)
        let original = Array("apus://[2001:db8::1]:7000/?run=\(run)&key=\(key)&invite=xyz".utf8)
        for _ in 0..<5000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let ticket = try? JoinTicket(String(decoding: bytes, as: UTF8.self)) else { continue }
            #expect((try? JoinTicket(ticket.url)) == ticket)
        }
    }
}
