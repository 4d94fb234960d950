import Foundation
import Identity
import Queues
import Testing

/// A router and a client that may talk to it.
struct Pair {
    let serverKey = CurveKey()
    let clientKey = CurveKey()
    let router: RouterSocket
    let dealer: DealerSocket

    init(_ routerLimits: SocketLimits = .standard, _ dealerLimits: SocketLimits = .standard) throws {
        router = try RouterSocket(bind: "tcp://127.0.0.1:*", serverKey: serverKey, limits: routerLimits) { _, _ in
            true
        }
        dealer = try DealerSocket(
            connect: router.loopback, serverKey: serverKey.publicKey, keys: clientKey, limits: dealerLimits)
    }

    /// Sends one message to the router and says who the client is there.
    @discardableResult
    func connect() async throws -> PeerID {
        try dealer.send([[0]])
        return try #require(await router.incoming.next()).peer
    }

    func close() async {
        await dealer.closeAndWait()
        await router.closeAndWait()
    }
}

extension RouterSocket {
    var loopback: String { "tcp://127.0.0.1:\(port)" }

    /// Waits for an event that fits.
    func waitForEvent(_ fits: (Event) -> Bool) async {
        for await event in events where fits(event) { return }
    }
}

extension DealerSocket {
    func waitFor(_ wanted: Event) async {
        for await event in events where event == wanted { return }
    }
}

func bytes(_ number: Int) -> [UInt8] { withUnsafeBytes(of: Int64(number)) { [UInt8]($0) } }

func openDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
}

/// Bytes of memory that the process has in use.
func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 } ?? 0
}

/// Gives threads that end on their own the time for it.
func settle() async {
    var last = -1
    for _ in 0..<200 {
        let now = openDescriptors()
        if now == last { return }
        last = now
        try? await Task.sleep(for: .milliseconds(50))
    }
}
