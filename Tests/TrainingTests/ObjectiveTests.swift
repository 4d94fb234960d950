import Foundation
import Testing

@testable import Training

@Suite struct ObjectiveTests {
    struct Golden: Decodable {
        var name: String
        var settings: [String: Double]
        var policy: [Double]
        var behavior: [Double]
        var advantage: [Double]
        var loss: [Double]
        var slope: [Double]
    }

    static func objective(_ golden: Golden) throws -> any Objective {
        var settings = golden.settings
        settings["ratio_cap"] = settings.removeValue(forKey: "cap")
        return try Objectives.named(golden.name, settings: settings)
    }

    @Test func lossAndSlopeAreThoseOfAutograd() throws {
        for golden in try Fixture.decode([Golden].self, "objectives") {
            let objective = try Self.objective(golden)
            for index in golden.policy.indices {
                let token = objective.loss(
                    policy: golden.policy[index], behavior: golden.behavior[index], advantage: golden.advantage[index])
                #expect(abs(token.loss - golden.loss[index]) < 1e-12)
                #expect(abs(token.slope - golden.slope[index]) < 1e-12)
            }
        }
    }

    @Test func slopeIsTheFiniteDifferenceAwayFromKinks() throws {
        let step = 1e-6
        for golden in try Fixture.decode([Golden].self, "objectives") {
            let objective = try Self.objective(golden)
            for index in golden.policy.indices {
                func at(_ offset: Double) -> TokenLoss {
                    objective.loss(
                        policy: golden.policy[index] + offset, behavior: golden.behavior[index],
                        advantage: golden.advantage[index])
                }
                // A kink inside the interval has no derivative to compare with.
                guard at(step).isRestrained == at(-step).isRestrained else { continue }
                let difference = (at(step).loss - at(-step).loss) / (2 * step)
                #expect(abs(difference - at(0).slope) < 1e-5 * max(1, abs(difference)))
            }
        }
    }

    @Test func theClipStopsPushingOutsideOfItsBounds() {
        let clip = TwoSidedClip()
        let up = clip.loss(policy: log(0.5), behavior: log(0.4), advantage: 1)
        #expect(up.slope == 0 && up.isRestrained)
        let down = clip.loss(policy: log(0.3), behavior: log(0.4), advantage: -1)
        #expect(down.slope == 0 && down.isRestrained)
        // The wrong direction is never held back, up to the cap.
        let wrong = clip.loss(policy: log(0.9), behavior: log(0.4), advantage: -1)
        #expect(abs(wrong.slope - 2.25) < 1e-12 && !wrong.isRestrained)
        let capped = clip.loss(policy: log(0.9), behavior: log(0.1), advantage: -1)
        #expect(capped.slope == 0 && capped.loss == 4 && capped.isRestrained)
    }

    @Test func theMaskDropsByProbabilityAndKeepsTheQuadraticPull() {
        let mask = ProbabilityDifferenceMask()
        let dropped = mask.loss(policy: log(0.7), behavior: log(0.4), advantage: 1)
        let logRatio = log(0.7) - log(0.4)
        #expect(dropped.isRestrained)
        #expect(abs(dropped.slope - 2e-3 * logRatio) < 1e-12)
        // A rare token may grow tenfold: the difference in probability is small.
        #expect(!mask.loss(policy: log(0.1), behavior: log(0.01), advantage: 1).isRestrained)
    }

    @Test func unknownNamesAndSettingsAreRefused() {
        #expect(throws: ObjectiveError.unknownName("ppo", known: ["clip", "mask"])) { try Objectives.named("ppo") }
        #expect(throws: ObjectiveError.unknownSetting("kl", objective: "clip")) {
            try Objectives.named("clip", settings: ["kl": 0.1])
        }
        #expect(throws: ObjectiveError.self) { try Objectives.named("clip", settings: ["low": .nan]) }
        #expect(throws: ObjectiveError.self) { try Objectives.named("mask", settings: ["high": 2]) }
    }

    @Test func advantagesSumToZeroAndEqualRewardsGiveExactZeros() {
        #expect(Advantages.groupMean([1, 0, 0, 1]) == [0.5, -0.5, -0.5, 0.5])
        #expect(Advantages.groupMean([0.1, 0.1, 0.1]) == [0, 0, 0])
        #expect(Advantages.groupMean([]) == [])
    }

    @Test func theScheduleRisesLinearlyAndStays() {
        let schedule = LearningRateSchedule(peak: 1, warmUpSteps: 4)
        #expect((0...6).map(schedule.rate(at:)) == [0, 0.25, 0.5, 0.75, 1, 1, 1])
        #expect(LearningRateSchedule(peak: 2, warmUpSteps: 0).rate(at: 1) == 2)
        let falling = LearningRateSchedule(peak: 1, warmUpSteps: 0, coolDown: 3..<7)
        #expect((1...8).map(falling.rate(at:)) == [1, 1, 1, 0.75, 0.5, 0.25, 0, 0])
    }
}

enum Fixture {
    static func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: url))
    }
}
