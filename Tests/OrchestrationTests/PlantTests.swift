import Identity
import Testing

@testable import Orchestration

@Suite("Known good groups among a verifier's audits")
struct PlantTests {
    let alice = Bench.workers[0]
    let first = Bench.verifiers[0]
    let second = Bench.verifiers[1]
    let third = Bench.verifiers[2]
    let fourth = Bench.verifiers[3]

    private func bench(_ rate: UInt32 = AuditDraw.certain, verifiers: [PublicKey]) throws -> Bench {
        var bench = try Bench(groupsPerBatch: 8) {
            $0.auditing.plantRate = rate
            $0.pace = 8
        }
        bench.begin()
        bench.join(alice, .worker)
        for verifier in verifiers { bench.join(verifier, .verifier) }
        return bench
    }

    private func request(_ bench: inout Bench, _ verifier: PublicKey, _ groups: Int = 100) -> [Audit] {
        bench.send(.auditsRequested(from: bench.from(verifier), groups: groups)).audits
    }

    private func hand(_ bench: inout Bench, _ count: Int) {
        for lease in bench.ask(alice, count) { bench.submit(alice, lease.id) }
    }

    /// A group that two verifiers, and nobody else, have found good.
    private func wellKnown(_ bench: inout Bench) throws -> Hash256 {
        hand(&bench, 1)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.accepted)
        bench.run.openCheck(of: audit.group, .repeated)
        let check = try #require(request(&bench, second).first)
        bench.report(second, check.id, Bench.accepted)
        #expect(bench.run.state.groups[audit.group]?.confirmations == [first, second])
        return audit.group
    }

    /// Has a verifier contradict the group that is planted among its audits.
    private func contradict(_ bench: inout Bench, _ verifier: PublicKey, _ group: Hash256) throws {
        hand(&bench, 1)
        var audits = request(&bench, verifier, 2)
        if !audits.contains(where: { $0.group == group }) { audits += request(&bench, verifier, 2) }
        let plant = try #require(audits.first { $0.group == group })
        for audit in audits where audit.id != plant.id { bench.report(verifier, audit.id, Bench.accepted) }
        let actions = bench.report(verifier, plant.id, Bench.rejected())
        #expect(actions.settlements.isEmpty)
    }

    @Test("A verifier that finds known good groups wrong loses its place; nothing happens to their worker")
    func plants() throws {
        var bench = try bench(verifiers: [first])
        hand(&bench, 8)
        for audit in request(&bench, first) { bench.report(first, audit.id, Bench.accepted) }
        var failed = 0
        for _ in 0..<20 where bench.run.state.verifiers[first]?.ban == nil {
            if bench.run.state.auditQueue.isEmpty {
                bench.requestBatch(bench.run.state.cutStep + 1)
                bench.publish((bench.run.state.newest?.number ?? 0) + 1, step: bench.run.state.cutStep)
                hand(&bench, 8)
            }
            for audit in request(&bench, first, 20) where bench.run.state.verifiers[first]?.ban == nil {
                let isPlant = bench.run.isCheck(audit.id)
                if isPlant { failed += 1 }
                let actions = bench.report(first, audit.id, isPlant ? Bench.rejected() : Bench.accepted)
                #expect(!isPlant || actions.settlements.isEmpty)
            }
        }
        #expect(failed == 3)
        #expect(bench.run.state.workers[alice]?.rejected == 0)
    }

    @Test("Neither place nor number tells a planted group from the audits beside it")
    func places() throws {
        var bench = try bench(verifiers: [first])
        hand(&bench, 8)
        for audit in request(&bench, first) where !bench.run.isCheck(audit.id) {
            bench.report(first, audit.id, Bench.accepted)
        }
        var (before, after) = (0, 0)
        for _ in 0..<24 {
            hand(&bench, 1)
            let audits = request(&bench, first)
            #expect(audits.map(\.id) == audits.map(\.id).sorted())
            if audits.count == 2 {
                #expect(audits.count { bench.run.isCheck($0.id) } == 1)
                if bench.run.isCheck(audits[0].id) { before += 1 } else { after += 1 }
            }
            for audit in audits { bench.report(first, audit.id, Bench.accepted) }
        }
        #expect(before > 4 && after > 4, "\(before) before, \(after) after")
    }

    @Test("A verifier that asks for one audit at a time gets planted ones too, and the real ones still")
    func one() throws {
        var bench = try bench(verifiers: [first])
        hand(&bench, 8)
        var (plants, others) = (0, 0)
        while let audit = request(&bench, first, 1).first, plants + others < 100 {
            if bench.run.isCheck(audit.id) { plants += 1 } else { others += 1 }
            bench.report(first, audit.id, Bench.accepted)
        }
        #expect(others == 8 && plants > 0)
    }

    @Test("A verifier that contradicts a known good group is blamed if another agrees with the group, not otherwise")
    func arbitration() throws {
        for isGood in [true, false] {
            var bench = try bench(verifiers: [first, second, third, fourth])
            let group = try wellKnown(&bench)
            try contradict(&bench, third, group)
            #expect(bench.run.state.verifiers[third]?.plantsFailed == 0)
            let arbiter = try #require(request(&bench, fourth).first { $0.group == group })
            bench.report(fourth, arbiter.id, isGood ? Bench.accepted : Bench.rejected())
            #expect(bench.run.state.verifiers[third]?.refuted == (isGood ? 1 : 0))
            #expect(bench.run.state.verifiers[third]?.plantsFailed == 0)
            // Two against two: neither the worker nor those who found it good are blamed.
            #expect(bench.run.state.workers[alice]?.strikes == 0 && bench.run.state.groups[group]?.doubt == nil)
            #expect([first, second, fourth].allSatisfy { bench.run.state.verifiers[$0]?.ban == nil })
        }
    }

    @Test("A group that a verifier contradicted is not planted on it again: it is one contradiction")
    func once() throws {
        var bench = try bench(verifiers: [first, second, third])
        let group = try wellKnown(&bench)
        try contradict(&bench, third, group)
        #expect(bench.run.state.verifiers[third]?.plantsFailed == 1)
        for _ in 0..<6 {
            hand(&bench, 1)
            for audit in request(&bench, third) {
                #expect(audit.group != group)
                bench.report(third, audit.id, Bench.accepted)
            }
        }
        #expect(bench.run.state.verifiers[third]?.ban == nil)
    }
}
