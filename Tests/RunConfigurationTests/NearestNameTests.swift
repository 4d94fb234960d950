import Testing

@testable import RunConfiguration

struct NearestNameTests {
    static let names = TrainingSection.fields.map(\.key)

    @Test(arguments: [
        ("lerning_rate", "learning_rate"), ("stesp", "steps"), ("beta", "betas"), ("rate", "learning_rate"),
        ("max_stalenes", "max_staleness"),
    ])
    func finds(_ typed: String, _ meant: String) {
        #expect(nearestName(to: typed, among: Self.names) == meant)
    }

    @Test(arguments: ["", "zzzzzzzz", "colour"])
    func findsNothing(_ typed: String) {
        #expect(nearestName(to: typed, among: Self.names) == nil)
    }
}
