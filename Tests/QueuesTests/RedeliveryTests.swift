import Testing

@testable import Queues

@Suite struct RedeliveryTests {
    private let start = ContinuousClock.now

    @Test func aMessageIsRepeatedMoreAndMoreRarely() {
        var table = Redelivery<String>()
        let id = table.nextID()
        #expect(table.add("a", id: id, bytes: 1, at: start) == true)
        #expect(table.due(at: start).count == 0)
        table.connected(at: start)
        var times: [Double] = []
        var now = start
        for _ in 0..<8 {
            guard let deadline = table.nextDeadline() else { break }
            now = max(now, deadline)
            times.append((now - start) / .seconds(1))
            #expect(table.due(at: now).map(\.id) == [id])
            #expect(table.due(at: now).count == 0)
        }
        #expect(times == [0, 1, 3, 7, 15, 31, 61, 91])
        #expect(table.acknowledge(id) == true)
        #expect(table.acknowledge(id) == false)
        #expect(table.nextDeadline() == nil)
    }

    @Test func aNewConnectionGetsEverythingInOrder() {
        var table = Redelivery<Int>()
        table.connected(at: start)
        for number in 1...5 {
            let id = table.nextID()
            #expect(table.add(number, id: id, bytes: 1, at: start) == true)
        }
        #expect(table.due(at: start).map(\.message) == [1, 2, 3, 4, 5])
        table.acknowledge(2)
        table.disconnected()
        #expect(table.due(at: start + .seconds(100)).count == 0)
        #expect(table.nextDeadline() == nil)
        table.connected(at: start + .seconds(100))
        #expect(table.due(at: start + .seconds(100)).map(\.message) == [1, 3, 4, 5])
    }

    @Test func roomIsBounded() {
        var table = Redelivery<Int>(policy: .init(maximumPending: 3, maximumBytes: 100))
        #expect(table.add(1, id: 1, bytes: 60, at: start) == true)
        #expect(table.add(2, id: 2, bytes: 60, at: start) == false)
        #expect(table.add(2, id: 2, bytes: 40, at: start) == true)
        #expect(table.add(3, id: 3, bytes: 0, at: start) == true)
        #expect(table.add(4, id: 4, bytes: 0, at: start) == false)
        #expect(table.add(3, id: 3, bytes: 0, at: start) == false)
        table.acknowledge(1)
        #expect(table.add(4, id: 4, bytes: 60, at: start) == true)
        // One message that is larger than all room may still go alone.
        var empty = Redelivery<Int>(policy: .init(maximumBytes: 1))
        #expect(empty.add(1, id: 1, bytes: 1000, at: start) == true)
    }

    @Test func patienceEndsWithOrWithoutAConnection() {
        var table = Redelivery<Int>(policy: .init(giveUpAfter: .seconds(10)))
        #expect(table.add(1, id: 1, bytes: 1, at: start) == true)
        #expect(table.nextDeadline() == start + .seconds(10))
        #expect(table.giveUp(at: start + .seconds(9)) == [])
        #expect(table.giveUp(at: start + .seconds(10)) == [1])
        #expect(table.count == 0)
    }

    /// Thousands of runs in which messages and acknowledgements are lost, doubled, delayed and swapped, and both
    /// sides are killed: every message is received at least once, acted on exactly once, and nothing stays pending.
    @Test func everyMessageArrivesWhateverTheNetworkDoes() {
        for seed in UInt64(0)..<2000 {
            var network = Network(seed: seed)
            network.run(messages: 12)
            #expect(network.actedOn == Array(1...12), "seed \(seed)")
            #expect(network.pending == 0, "seed \(seed)")
            if network.actedOn.count != 12 { return }
        }
    }
}

/// A simulated network with a client that redelivers and a server that remembers what it has done.
private struct Network {
    private enum Packet { case message(UInt64), acknowledgement(UInt64) }
    private var random: Generator
    private var table = Redelivery<UInt64>(
        policy: .init(repeatAfter: .seconds(1), repeatAtMostAfter: .seconds(8), maximumPending: 5))
    private var packets: [(at: ContinuousClock.Instant, epoch: Int, Packet)] = []
    private var journal: Set<UInt64> = []
    private var epoch = 0
    private var isConnected = false
    private let start = ContinuousClock.now
    private(set) var actedOn: [Int] = []

    init(seed: UInt64) { random = Generator(state: seed) }

    var pending: Int { table.count }

    mutating func run(messages: Int) {
        var unsent = Array((1...messages).reversed())
        var lossRate = random.next(in: 0...70)
        for tick in 0..<2000 {
            let now = start + .milliseconds(100 * tick)
            // Trouble ends at some time; whatever is lost before must be made good after.
            if tick == 600 { lossRate = 0 }
            if isConnected, lossRate > 0, random.next(in: 0...99) < 3 {
                isConnected = false
                epoch += 1
                table.disconnected()
            } else if !isConnected, random.next(in: 0...9) < 3 {
                isConnected = true
                epoch += 1
                table.connected(at: now)
            }
            while !unsent.isEmpty, table.hasRoom(for: 1) {
                let id = table.nextID()
                unsent.removeLast()
                _ = table.add(id, id: id, bytes: 1, at: now)
            }
            for due in table.due(at: now) { post(.message(due.message), at: now, lossRate) }
            deliver(at: now, lossRate)
            if unsent.isEmpty, table.count == 0 { break }
        }
        actedOn.sort()
    }

    private mutating func post(_ packet: Packet, at now: ContinuousClock.Instant, _ lossRate: Int) {
        for _ in 0..<(random.next(in: 0...9) == 0 ? 2 : 1) where random.next(in: 0...99) >= lossRate {
            packets.append((now + .milliseconds(random.next(in: 0...3000)), epoch, packet))
        }
    }

    private mutating func deliver(at now: ContinuousClock.Instant, _ lossRate: Int) {
        let arrived = packets.filter { $0.at <= now }
        packets.removeAll { $0.at <= now }
        // Packets of an earlier connection are gone with it.
        for (_, packetEpoch, packet) in arrived where packetEpoch == epoch && isConnected {
            switch packet {
            case .message(let id):
                if journal.insert(id).inserted { actedOn.append(Int(id)) }
                post(.acknowledgement(id), at: now, lossRate)
            case .acknowledgement(let id):
                table.acknowledge(id)
            }
        }
    }
}

/// SplitMix64: the same simulation for the same seed.
private struct Generator {
    var state: UInt64

    mutating func next(in range: ClosedRange<Int>) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        return range.lowerBound + Int(z % UInt64(range.count))
    }
}
