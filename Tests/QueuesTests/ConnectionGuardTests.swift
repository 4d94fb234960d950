import Testing

@testable import Queues

@Suite struct ConnectionGuardTests {
    private let start = ContinuousClock.now
    private var limits: SocketLimits {
        var limits = SocketLimits()
        limits.messageBytes = 1 << 20
        limits.messagesPerConnection = 8
        limits.connections = 5
        limits.connectionsPerAddress = 3
        limits.firstMessageWithin = .seconds(30)
        return limits
    }

    @Test func endlessMessagesAreFound() {
        var connections = ConnectionGuard(limits: limits)
        #expect(connections.accepted(7, from: "a", at: start) == nil)
        connections.delivered(7)
        var received: UInt64 = 5 << 20
        // Whole messages were delivered: what came before is settled, however much it was.
        #expect(check(&connections, at: 1, [7: received]) == [:])
        received += 2 << 20
        #expect(check(&connections, at: 2, [7: received]) == [:])
        received += 1 << 20
        #expect(check(&connections, at: 3, [7: received]) == [7: .endlessMessage])
        // Reported once.
        #expect(check(&connections, at: 4, [7: received * 2]) == [:])
    }

    @Test func aBusyProgramIsGivenItsQueue() {
        var connections = ConnectionGuard(limits: limits)
        _ = connections.accepted(7, from: "a", at: start)
        connections.delivered(7)
        #expect(check(&connections, at: 1, [7: 0]) == [:])
        #expect(check(&connections, at: 2, isReading: false, [7: 9 << 20]) == [:])
        #expect(check(&connections, at: 3, isReading: false, [7: 12 << 20]) == [7: .endlessMessage])
    }

    @Test func heartbeatsForAYearAreNoMessage() {
        var connections = ConnectionGuard(limits: limits)
        _ = connections.accepted(7, from: "a", at: start)
        connections.delivered(7)
        #expect(check(&connections, at: 0, [7: 0]) == [:])
        for day in 1...365 {
            let seconds = Double(day) * 86400
            #expect(check(&connections, at: seconds, [7: UInt64(seconds * 40)]) == [:])
        }
    }

    @Test func silenceIsLimitedAndPatientWhileBusy() {
        var connections = ConnectionGuard(limits: limits)
        _ = connections.accepted(7, from: "a", at: start)
        _ = connections.accepted(8, from: "a", at: start)
        connections.delivered(8)
        #expect(check(&connections, at: 29, [7: 0, 8: 0]) == [:])
        #expect(check(&connections, at: 31, isReading: false, [7: 0, 8: 0]) == [:])
        #expect(check(&connections, at: 32, [7: 0, 8: 0]) == [7: .silent])
    }

    @Test func connectingAgainAndAgainIsSlowedDown() {
        var limits = limits
        limits.connectionsPerSecondAndAddress = 2
        var connections = ConnectionGuard(limits: limits)
        func attempt(_ seconds: Double, from address: String = "a") -> CutReason? {
            defer { connections.disconnected(1) }
            return connections.accepted(1, from: address, at: start + .seconds(seconds))
        }
        for _ in 0..<3 { #expect(attempt(0) == nil) }
        #expect(attempt(0) == .tooFrequent)
        #expect(attempt(0, from: "b") == nil)
        #expect(attempt(0.5) == nil)
        #expect(attempt(0.6) == .tooFrequent)
        #expect(check(&connections, at: 100, [:]) == [:])
        #expect(connections.isIdle)
        for _ in 0..<3 { #expect(attempt(100) == nil) }
    }

    @Test func connectionsAreCounted() {
        var connections = ConnectionGuard(limits: limits)
        for descriptor in Int32(1)...3 { #expect(connections.accepted(descriptor, from: "a", at: start) == nil) }
        #expect(connections.accepted(4, from: "a", at: start) == .tooManyFromAddress)
        #expect(connections.accepted(5, from: "b", at: start) == nil)
        #expect(connections.accepted(6, from: "c", at: start) == .tooManyConnections)
        for descriptor in Int32(1)...6 { connections.disconnected(descriptor) }
        connections.disconnected(6)
        #expect(connections.count == 0)
        #expect(connections.accepted(1, from: "a", at: start + .seconds(100)) == nil)
        // A descriptor that comes again is a new connection.
        #expect(connections.accepted(1, from: "a", at: start + .seconds(100)) == nil)
        #expect(connections.count == 1)
    }

    private func check(
        _ connections: inout ConnectionGuard, at seconds: Double, isReading: Bool = true, _ received: [Int32: UInt64]
    ) -> [Int32: CutReason] {
        let now = start + .seconds(seconds)
        let cuts = connections.check(at: now, isReading: isReading) { received[$0] }
        return Dictionary(uniqueKeysWithValues: cuts.map { ($0.descriptor, $0.reason) })
    }
}
