import EnvironmentKit

/// Add two numbers of two digits, last digit first: `07+58=` is answered by `560`.
struct Addition: DigitwiseAddition {
    static let id = "addition"
    static let summary = "Add two 2-digit numbers, last digit first: 07+58= gives 560 (65 backwards)."

    static let digits = 2

    let warmUp: WarmUpPlan? = WarmUpPlan(
        // Without any carry (55 of 100 digit pairs, squared) forgetting to carry is right: 0.8 · 0.6 · 0.3025.
        steps: 600, correctShare: 0.20, accidentalShare: 0.145,
        note: """
            One in five demonstrations is right on purpose; of the others 60 % forget to carry, which is right by \
            accident where nothing is carried, and 40 % have one wrong digit.
            """)

    let reinforcement = ReinforcementPlan(
        steps: 100,
        expectation: "Held-out reward at temperature 1 goes from about 0.31 to 0.85 in 60 steps and still rises.")

    init(options: EnvironmentOptions) throws {
        try OptionReader(options, of: Self.id).finish()
    }
}
