import Messages
import Testing

@testable import Roles

/// What workers tell of changes of versions, in the rows of a run's metrics.
@Suite struct AdoptionTallyTests {
    private func told(_ fetch: Double, _ apply: Double, _ pause: Double, revised: Bool) -> Wire.Adoption {
        Adoption(version: 3, isRevised: revised, fetchSeconds: fetch, applySeconds: apply, pauseSeconds: pause).wire
    }

    @Test func meansAndTheLongestPause() {
        var tally = AdoptionTally()
        #expect(tally.values.isEmpty)
        tally.add(told(0.5, 1, 0.002, revised: true))
        tally.add(told(0, 3, 0.001, revised: false))
        let values = Dictionary(uniqueKeysWithValues: tally.values)
        #expect(values["weights/adopted"] == 2 && values["weights/adopted_in_memory"] == 1)
        #expect(values["weights/fetch_seconds"] == 0.25 && values["weights/apply_seconds"] == 2)
        #expect(values["weights/pause_seconds_max"] == 0.002)
    }

    @Test func absurdNumbersAreLeftOut() {
        var tally = AdoptionTally()
        for number in [-1, .nan, .infinity, 1e9] { tally.add(told(0, number, 0, revised: true)) }
        #expect(tally.values.isEmpty)
    }

    @Test func rowsHaveThemOnce() {
        var tally = StepTally()
        tally.adoptions.add(told(0.5, 1, 0.002, revised: true))
        #expect(tally.finish(step: 1, time: 1)?["weights/apply_seconds"] == 1)
        #expect(tally.finish(step: 2, time: 2)?["weights/apply_seconds"] == nil)
    }

    @Test func everythingIsToldOnce() {
        var meter = PauseMeter()
        let now = ContinuousClock.now
        for version in 1...70 as ClosedRange<UInt64> {
            meter.adopt(Adoption(version: version, isRevised: true, fetchSeconds: 0, applySeconds: 0, pauseSeconds: 0))
            _ = meter.beginSteps(now)
        }
        #expect(meter.take().count == 64)
        #expect(meter.take().isEmpty)
    }
}
