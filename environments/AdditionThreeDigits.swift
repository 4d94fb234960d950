import EnvironmentKit

/// Add two numbers of three digits, last digit first: `507+058=` is answered by `5650`.
struct AdditionThreeDigits: DigitwiseAddition {
    static let id = "addition-3"
    static let summary = "Add two 3-digit numbers, last digit first: 507+058= gives 5650 (565 backwards)."

    static let digits = 3

    let warmUp: WarmUpPlan? = WarmUpPlan(
        // Without any carry forgetting to carry is right: 0.65 · 0.6 · 0.55³.
        steps: 1800, correctShare: 0.35, accidentalShare: 0.065,
        note: """
            About one in three demonstrations is right on purpose; of the others 60 % forget to carry, which is right \
            by accident where nothing is carried, and 40 % have one wrong digit.
            """)

    let reinforcement = ReinforcementPlan(
        steps: 80, groupSize: 16, learningRate: 1e-3,
        expectation: "Held-out reward at temperature 1 goes from about 0.33 to 0.93 in 80 steps.")

    init(options: EnvironmentOptions) throws {
        try OptionReader(options, of: Self.id).finish()
    }
}
