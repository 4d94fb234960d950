import Identity
import Testing

@testable import Orchestration

@Suite("Facts")
struct FactTests {
    /// The journal's format, one line for every kind of fact: these lines must be readable for ever.
    static let golden: [(Fact, String)] = {
        let hash = Hash256.zero
        let key = Scenario.keys[0]
        let finding = Finding(check: "commitments", reason: "Chunk 0 \"differs\".", severity: .soft)
        let zeros = String(repeating: "0", count: 64)
        let found = #"{"check":"commitments","reason":"Chunk 0 \"differs\".","severity":"soft"}"#
        return [
            (
                .invitationUsed(invitation: hash, worker: key, stake: 5),
                #"{"invitationUsed":{"invitation":"\#(zeros)","stake":5,"worker":"\#(key.hex)"}}"#
            ),
            (
                .versionPublished(version: PolicyVersion(number: 3, weightsHash: hash, step: 2)),
                #"{"versionPublished":{"version":{"number":3,"step":2,"weightsHash":"\#(zeros)"}}}"#
            ),
            (
                .leaseGranted(lease: 1, slot: 0, attempt: 0, worker: key, version: 3, engine: nil),
                #"{"leaseGranted":{"attempt":0,"lease":1,"slot":0,"version":3,"worker":"\#(key.hex)"}}"#
            ),
            (.leaseEnded(lease: 1, reason: .slotOwned), #"{"leaseEnded":{"lease":1,"reason":"slotOwned"}}"#),
            (
                .groupReceived(
                    group: hash, lease: 1, tokens: 70, work: nil, content: nil, isAlwaysAudited: nil),
                #"{"groupReceived":{"group":"\#(zeros)","lease":1,"tokens":70}}"#
            ),
            (
                .groupReceived(
                    group: hash, lease: 1, tokens: 70, work: 9, content: hash, isAlwaysAudited: nil),
                #"{"groupReceived":{"content":"\#(zeros)","group":"\#(zeros)","lease":1,"tokens":70,"work":9}}"#
            ),
            (
                .epochBegan(epoch: 3, commitment: hash, next: hash),
                #"{"epochBegan":{"commitment":"\#(zeros)","epoch":3,"next":"\#(zeros)"}}"#
            ),
            (.epochRevealed(epoch: 2, secret: hash), #"{"epochRevealed":{"epoch":2,"secret":"\#(zeros)"}}"#),
            (
                .auditDrawn(group: hash, epoch: 3, probability: 50_000, isDrawn: false),
                #"{"auditDrawn":{"epoch":3,"group":"\#(zeros)","isDrawn":false,"probability":50000}}"#
            ),
            (
                .groupScored(group: hash, rewards: [0.5], credit: 7),
                #"{"groupScored":{"credit":7,"group":"\#(zeros)","rewards":[0.5]}}"#
            ),
            (.groupPicked(group: hash, isForeseen: nil), #"{"groupPicked":{"group":"\#(zeros)"}}"#),
            (
                .groupPicked(group: hash, isForeseen: true),
                #"{"groupPicked":{"group":"\#(zeros)","isForeseen":true}}"#
            ),
            (
                .leaseGranted(lease: 1, slot: 0, attempt: 0, worker: key, version: 3, engine: "other"),
                #"{"leaseGranted":{"attempt":0,"engine":"other","lease":1,"slot":0,"version":3,"worker":"\#(key.hex)"}}"#
            ),
            (
                .groupReceived(group: hash, lease: 1, tokens: 70, work: nil, content: nil, isAlwaysAudited: true),
                #"{"groupReceived":{"group":"\#(zeros)","isAlwaysAudited":true,"lease":1,"tokens":70}}"#
            ),
            (
                .creditForfeited(worker: key, group: hash, forfeited: 5, fined: 6, fromEarnings: 4),
                #"{"creditForfeited":{"fined":6,"forfeited":5,"fromEarnings":4,"group":"\#(zeros)","worker":"\#(key.hex)"}}"#
            ),
            (
                .checkOpened(group: hash, purpose: .doubted),
                #"{"checkOpened":{"group":"\#(zeros)","purpose":"doubted"}}"#
            ),
            (
                .checkpointStable(step: 1, kept: [hash]),
                #"{"checkpointStable":{"kept":["\#(zeros)"],"step":1}}"#
            ),
            (.groupsForgotten(groups: [hash]), #"{"groupsForgotten":{"groups":["\#(zeros)"]}}"#),
            (
                .groupVested(group: hash, worker: key, audit: 2, withheld: 1),
                #"{"groupVested":{"audit":2,"group":"\#(zeros)","withheld":1,"worker":"\#(key.hex)"}}"#
            ),
            (
                .creditForfeited(worker: key, group: hash, forfeited: 5, fined: 6, fromEarnings: nil),
                #"{"creditForfeited":{"fined":6,"forfeited":5,"group":"\#(zeros)","worker":"\#(key.hex)"}}"#
            ),
            (
                .checkOpened(group: hash, purpose: .planted),
                #"{"checkOpened":{"group":"\#(zeros)","purpose":"planted"}}"#
            ),
            (
                .checkAssigned(audit: 2, group: hash, verifier: key),
                #"{"checkAssigned":{"audit":2,"group":"\#(zeros)","verifier":"\#(key.hex)"}}"#
            ),
            (.checkPassed(audit: 2, auditFLOPs: 7), #"{"checkPassed":{"audit":2,"auditFLOPs":7}}"#),
            (
                .checkFailed(audit: 2, finding: finding, auditFLOPs: 7),
                #"{"checkFailed":{"audit":2,"auditFLOPs":7,"finding":\#(found)}}"#
            ),
            (
                .acceptanceDoubted(group: hash, accuser: key, audit: 2, finding: finding, auditFLOPs: 7),
                #"{"acceptanceDoubted":{"accuser":"\#(key.hex)","audit":2,"auditFLOPs":7,"finding":\#(found),"group":"\#(zeros)"}}"#
            ),
            (.checkClosed(group: hash), #"{"checkClosed":{"group":"\#(zeros)"}}"#),
            (
                .acceptanceRevoked(group: hash, finding: finding),
                #"{"acceptanceRevoked":{"finding":\#(found),"group":"\#(zeros)"}}"#
            ),
            (
                .rejectionOverturned(group: hash, audit: 2, withheld: 1),
                #"{"rejectionOverturned":{"audit":2,"group":"\#(zeros)","withheld":1}}"#
            ),
            (
                .groupAccepted(
                    group: hash, audit: 2, rewards: [0.1, 1], verifiedFLOPs: 9_007_199_254_740_993, withheld: 1,
                    auditFLOPs: 2),
                #"{"groupAccepted":{"audit":2,"auditFLOPs":2,"group":"\#(zeros)","rewards":[0.1,1],"verifiedFLOPs":9007199254740993,"withheld":1}}"#
            ),
            (
                .groupRejected(group: hash, lease: 1, audit: 0, finding: finding, auditFLOPs: 0),
                #"{"groupRejected":{"audit":0,"auditFLOPs":0,"finding":\#(found),"group":"\#(zeros)","lease":1}}"#
            ),
            (.groupWithdrawn(group: hash, reason: "r"), #"{"groupWithdrawn":{"group":"\#(zeros)","reason":"r"}}"#),
            (.groupDiscarded(group: hash, step: 4), #"{"groupDiscarded":{"group":"\#(zeros)","step":4}}"#),
            (
                .auditAssigned(audit: 2, group: hash, verifier: key),
                #"{"auditAssigned":{"audit":2,"group":"\#(zeros)","verifier":"\#(key.hex)"}}"#
            ),
            (.auditLost(audit: 2, reason: "timeout"), #"{"auditLost":{"audit":2,"reason":"timeout"}}"#),
            (
                .auditDisputed(audit: 2, finding: finding, auditFLOPs: 7),
                #"{"auditDisputed":{"audit":2,"auditFLOPs":7,"finding":\#(found)}}"#
            ),
            (
                .workerBanned(worker: key, finding: finding, burned: 8),
                #"{"workerBanned":{"burned":8,"finding":\#(found),"worker":"\#(key.hex)"}}"#
            ),
            (
                .verifierBanned(verifier: key, finding: finding),
                #"{"verifierBanned":{"finding":\#(found),"verifier":"\#(key.hex)"}}"#
            ),
            (
                .replayRefuted(group: hash, verifier: key),
                #"{"replayRefuted":{"group":"\#(zeros)","verifier":"\#(key.hex)"}}"#
            ),
            (.workersForgotten(workers: [key]), #"{"workersForgotten":{"workers":["\#(key.hex)"]}}"#),
            (.batchCut(step: 1, groups: [hash]), #"{"batchCut":{"groups":["\#(zeros)"],"step":1}}"#),
            (.batchDone(step: 1), #"{"batchDone":{"step":1}}"#),
            (.checkpointStable(step: 1, kept: nil), #"{"checkpointStable":{"step":1}}"#),
            (.trainerResumed(step: 0, kept: nil), #"{"trainerResumed":{"step":0}}"#),
        ]
    }()

    @Test("Every kind of fact is written and read as ever")
    func goldenLines() throws {
        for (fact, body) in Self.golden {
            let line = #"{"fact":\#(body),"v":1}"#
            #expect(String(decoding: try fact.encoded(), as: UTF8.self) == line)
            #expect(try Fact(decoding: Array(line.utf8)) == fact)
        }
    }

    @Test("Damaged and foreign lines are refused with a sentence")
    func damagedLines() throws {
        let lines = [
            "", "{", "[]", "{}", #"{"v":2,"fact":{}}"#, #"{"v":1}"#, #"{"v":1,"fact":{"unheard":{}}}"#,
            #"{"v":1,"fact":{"batchDone":{"step":-1}}}"#,
            #"{"v":1,"fact":{"leaseEnded":{"lease":1,"reason":"bored"}}}"#,
        ]
        for line in lines {
            #expect(throws: FactCodingError.self, "\(line)") { try Fact(decoding: Array(line.utf8)) }
        }
    }

    @Test("Rewards come back with every bit")
    func rewards() throws {
        var random = SplitMix(1)
        for _ in 0..<500 {
            let reward = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            guard reward.isFinite else { continue }
            let fact = Fact.groupAccepted(
                group: .zero, audit: 1, rewards: [reward], verifiedFLOPs: 1, withheld: 0, auditFLOPs: 0)
            #expect(try Fact(decoding: fact.encoded()) == fact)
        }
    }

    @Test("Any prefix of a journal, written and read, rebuilds the state that the run had there")
    func prefixes() throws {
        for seed in 0..<20 as Range<UInt64> {
            for scenario in [Scenario.random(seed), Scenario.adaptive(seed)] {
                let world = World(scenario)
                #expect(world.simulate().isEmpty)
                let lines = try world.journal.map { try $0.encoded() }
                let facts = try lines.map { try Fact(decoding: $0) }
                #expect(facts == world.journal)
                var live = DurableState()
                for (index, fact) in facts.enumerated() {
                    if index % 37 == 0 {
                        let rebuilt = try Run(configuration: scenario.configuration, replaying: facts.prefix(index))
                        #expect(rebuilt.state == live)
                    }
                    try live.apply(fact)
                }
            }
        }
    }

    @Test("A journal with a fact missing, moved or doubled is refused or read, never a crash")
    func damagedJournals() throws {
        var refused = 0
        for seed in 100..<160 as Range<UInt64> {
            let world = World(Scenario.random(seed))
            #expect(world.simulate().isEmpty)
            var random = SplitMix(seed)
            for _ in 0..<40 {
                var facts = world.journal
                for _ in 0...random.below(3) {
                    let index = Int(random.below(UInt64(facts.count)))
                    let other = Int(random.below(UInt64(facts.count)))
                    switch random.below(3) {
                    case 0: facts.remove(at: index)
                    case 1: facts.swapAt(index, other)
                    default: facts.insert(facts[other], at: index)
                    }
                }
                do {
                    _ = try Run(configuration: world.scenario.configuration, replaying: facts)
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 1_000)
    }
}
