import Testing

@testable import EnvironmentKit

struct PlansTests {
    @Test func splitsAreStable() {
        // These sides, computed by a Python twin, may never change: a run's held-out problems depend on them.
        let sides = (0..<60).filter { Split.containing(canonicalProblem: "\($0)") == .heldOut }
        #expect(sides == [0, 28, 31, 51, 54, 55])
        #expect(Split.containing(canonicalProblem: "399=108") == .heldOut)
        #expect(Split.containing(canonicalProblem: "12358") == .train)
        let heldOut = (0..<20_000).count { Split.containing(canonicalProblem: "\($0)") == .heldOut }
        #expect((1_850...2_200).contains(heldOut))
    }

    @Test func hashesNameTheEnvironmentAndItsOptions() throws {
        let (first, second) = (try Echo(options: [:]), try Echo(options: ["fault": "leaky"]))
        #expect(first.hash == (try Echo(options: ["fault": "none"])).hash)
        #expect(first.hash != second.hash)
    }

    @Test func defaultsForTheRunFileAreTOML() throws {
        let text = try Echo(options: [:]).runFileDefaults
        #expect(text.contains("[warm_up]\nsteps = 10\n"))
        #expect(text.contains("clip = { low = 0.2, high = 0.2, ratio_cap = 4.0 }"))
        #expect(text.contains("max_tokens = 8\n"))
    }

    @Test func passRates() throws {
        let rates = try #require(PassRates(rewards: [[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]]))
        #expect(rates.mean == 0.5)
        #expect(abs(rates.passAt(1) - 0.5) < 1e-12)
        #expect(abs(rates.passAt(2) - (5.0 / 6 + 0 + 1) / 3) < 1e-12)
        #expect(abs(rates.passAll(2) - (1.0 / 6 + 0 + 1) / 3) < 1e-12)
        #expect(rates.passAt(4) == 2.0 / 3 && rates.passAll(4) == 1.0 / 3)
        #expect(PassRates(rewards: []) == nil && PassRates(rewards: [[1], [1, 0]]) == nil)
    }

    @Test func optionsAreReadStrictly() throws {
        var reader = OptionReader(["a": 3, "b": 2, "c": "x", "d": true, "e": ["p", "q"]], of: "test")
        #expect(try reader.integer("a", default: 0, in: 0...5) == 3)
        #expect(try reader.number("b", default: 0, in: 0...5) == 2)
        #expect(try reader.text("c") == "x")
        #expect(try reader.flag("d", default: false))
        #expect(try reader.texts("e", default: []) == ["p", "q"])
        #expect(throws: EnvironmentError.self) { try reader.integer("a", default: 0, in: 0...2) }
        #expect(throws: EnvironmentError.self) { try reader.integer("c", default: 0, in: 0...2) }
        #expect(throws: EnvironmentError.self) { try reader.text("missing") }
        #expect(throws: Never.self) { try reader.finish() }
        #expect(throws: EnvironmentError.self) { try OptionReader(["z": 1], of: "test").finish() }
    }
}
