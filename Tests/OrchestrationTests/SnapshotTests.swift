import Foundation
import Identity
import Testing

@testable import Orchestration

@Suite("Snapshots of the state")
struct SnapshotTests {
    /// Journals in which everything occurs that a state remembers.
    private static func journals(_ seeds: Range<UInt64>) -> [(Scenario, [Fact])] {
        seeds.flatMap { [Scenario.random($0), Scenario.adaptive($0)] }.map { scenario in
            let world = World(scenario)
            #expect(world.simulate().isEmpty)
            return (scenario, world.journal)
        }
    }

    @Test("A snapshot after any fact, written and read, is the state; with the facts after it, the run's end")
    func everyPrefix() throws {
        for (number, (scenario, facts)) in Self.journals(300..<304).enumerated() {
            var live = DurableState()
            let end = try Run(configuration: scenario.configuration, replaying: facts).state
            for (index, fact) in facts.enumerated() {
                // Every fact of the first two, some of the others.
                if number < 2 || index % 7 == number % 7 {
                    let snapshot = try Snapshot.copy(of: live)
                    #expect(snapshot == live && snapshot.factCount == UInt64(index))
                    if index % 28 == number % 7 {
                        let resumed = try Run(
                            configuration: scenario.configuration, resuming: snapshot, replaying: facts[index...])
                        #expect(resumed.state == end)
                    }
                }
                try live.apply(fact)
            }
            #expect(try Snapshot.copy(of: live) == live)
        }
    }

    @Test("A large state comes in many pieces, none of them large")
    func manyPieces() throws {
        var state = DurableState()
        for number in 0..<2_000 as Range<UInt64> {
            state.slots[number] = Slot(phase: .leased(number), attempts: 1, leases: [number])
            state.batches[number] = [SHA256.hash([UInt8(number & 255), UInt8(number >> 8)])]
        }
        let snapshot = try Snapshot(of: state)
        #expect(snapshot.pieces.count == 1 + 4 + 250)
        #expect(snapshot.pieces.allSatisfy { $0.count < 100_000 })
        #expect(try snapshot.read() == state)
        // The number of facts until the next one follows the state's size.
        #expect(SnapshotPieces.interval(after: state) == 10_000)
        for number in 2_000..<20_000 as Range<UInt64> {
            state.slots[number] = Slot(phase: .waiting, attempts: 1, leases: [])
        }
        #expect(SnapshotPieces.interval(after: state) == 22_000)
    }

    @Test("A snapshot with a piece missing, doubled, moved or damaged is refused")
    func damage() throws {
        let (_, facts) = try #require(Self.journals(7..<8).last)
        var state = DurableState()
        for fact in facts.prefix(facts.count / 2) { try state.apply(fact) }
        let pieces = try Snapshot(of: state).pieces
        #expect(try Snapshot.read(pieces) == state && pieces.count > 4)
        for index in pieces.indices {
            var damaged = pieces
            damaged.remove(at: index)
            #expect(throws: FactCodingError.self) { try Snapshot.read(damaged) }
            damaged = pieces
            damaged[index].removeLast()
            #expect(throws: FactCodingError.self) { try Snapshot.read(damaged) }
        }
        #expect(throws: FactCodingError.self) { try Snapshot.read([]) }
        #expect(throws: FactCodingError.self) { try Snapshot.read(pieces + pieces.prefix(1)) }
        #expect(throws: FactCodingError.self) { try Snapshot.read(pieces.reversed()) }
        #expect(throws: FactCodingError.self) { try Snapshot.read([Array("{}".utf8)]) }
        let more = SnapshotPiece.slots([state.nextSlot: Slot(phase: .waiting, attempts: 0, leases: [])])
        #expect(throws: FactCodingError.self) { try Snapshot.read(pieces + [[UInt8](JSONEncoder().encode(more))]) }
        // A first piece that has records itself.
        let full = SnapshotPiece.trunk(state, records: 0)
        #expect(throws: FactCodingError.self) { try Snapshot.read([[UInt8](JSONEncoder().encode(full))]) }
    }

    /// The field names that snapshots of this format version may have.
    private static let names = """
        _0 accepted acceptedGroups accuser accusers amount attempt attempts audit auditAttempts auditFLOPs \
        auditQueue audited auditing audits auditsLost balance ban batched batchedTokens batches began check \
        checkQueue commitment confirmations content contestedGroups contradictedBy counters cutStep discarded \
        dispute disputed doneStep doubt draw earlier earned earningsTaken ended engine epoch factCount finding \
        forfeited group groups invitations isAlwaysAudited isDisbelieved isDoubted isDrawn isRevoked \
        isUnreachable keptGroups lease leased leases limits live liveAudits liveLeases losers lost \
        maximumStaleness newest next nextAudit nextLease nextSlot number openChecks openedAt ordinal owned \
        pendingGroups phase planted plantsFailed probability provisional provisionalGroups provisionalInBatches \
        purpose queued reason received records refuted rejected rejectedVersions revealed revealedSecret sampling \
        scoring scoringGroups setAside severity slot slots spared stableStep stakeTaken staked step streak \
        strikes submitted tokens tolerated trunk unvested unvestedWorkers verdict verifiedGroups verifiedTokens \
        verifiedWork verifier verifiers version versions vested vouchesThrough waiting waitingGroups waitingSlots \
        wasDoubted weightsHash withdrawn work worker workers
        """

    @Test("A snapshot has no field that its format version does not know")
    func shape() throws {
        var found: Set<String> = []
        for (_, facts) in Self.journals(0..<30) {
            var state = DurableState()
            for (index, fact) in facts.enumerated() {
                try state.apply(fact)
                guard index % 31 == 0 else { continue }
                for piece in try Snapshot(of: state).pieces {
                    Self.collect(try JSONSerialization.jsonObject(with: Data(piece)), into: &found)
                }
            }
        }
        let unknown = found.subtracting(Self.names.split(separator: " ").map(String.init)).sorted()
        #expect(
            unknown.isEmpty,
            "Raise SnapshotPieces.formatVersion, for older snapshots lack these fields, and add them to the names here."
        )
        #expect(found.isSuperset(of: ["revealedSecret", "unvested", "dispute", "invitations", "ban", "earlier"]))
    }

    /// Names of fields; keys of records are numbers and hashes.
    private static func collect(_ value: Any, into names: inout Set<String>) {
        if let object = value as? [String: Any] {
            for (name, value) in object {
                names.insert(name)
                collect(value, into: &names)
            }
        } else if let list = value as? [Any] {
            for value in list { collect(value, into: &names) }
        }
    }
}
