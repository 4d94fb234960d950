import Testing

@testable import Roles

/// What counts as a pause of generation, and what does not.
@Suite struct PauseMeterTests {
    private let start = ContinuousClock.now

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    private func adoption(_ version: UInt64, own: Double = 0.001) -> Adoption {
        Adoption(version: version, isRevised: true, fetchSeconds: 0.25, applySeconds: 0.5, pauseSeconds: own)
    }

    @Test func betweenTwoSteps() {
        var meter = PauseMeter()
        meter.endSteps(at(100), isDone: false)
        meter.adopt(adoption(2))
        #expect(meter.newest == nil)
        let done = meter.beginSteps(at(108))
        #expect(done?.pauseSeconds == 0.008)
        #expect(meter.newest?.version == 2)
        #expect(meter.beginSteps(at(200)) == nil, "once")
    }

    @Test func nobodyWaits() {
        var meter = PauseMeter()
        meter.endSteps(at(100), isDone: true)
        meter.adopt(adoption(2))
        #expect(meter.beginSteps(at(900))?.pauseSeconds == 0.001)
    }

    @Test func groupsWaitForTheVersionAndNothingElseIsLeft() {
        var meter = PauseMeter()
        meter.endSteps(at(100), isDone: true)
        meter.beginWaiting(at(300))
        meter.beginWaiting(at(400))
        meter.adopt(adoption(2))
        #expect(meter.beginSteps(at(1300))?.pauseSeconds == 1)
        // The old version's last group ends while those of the next one wait.
        meter.endSteps(at(2000), isDone: false)
        meter.adopt(adoption(3))
        #expect(meter.beginSteps(at(2500))?.pauseSeconds == 0.5)
    }

    @Test func twoVersionsBeforeTheNextStep() {
        var meter = PauseMeter()
        meter.adopt(adoption(1))
        meter.adopt(adoption(2))
        #expect(meter.newest?.version == 1)
        #expect(meter.beginSteps(at(0))?.version == 2)
    }

    @Test func sentence() {
        #expect(adoption(12).sentence == "v12 in memory: fetched 0.25 s, applied 0.5 s, pause 1.0 ms")
    }
}
