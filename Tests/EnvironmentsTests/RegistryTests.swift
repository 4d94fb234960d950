import EnvironmentKit
import Testing

@testable import Environments
@testable import Rewards

/// What every file in `environments/` and `rewards/` must fulfil; a new file is tested by being there.
struct RegistryTests {
    @Test func theBuiltInOnesAreThere() {
        #expect(
            Set(allEnvironments.map { $0.id }).isSuperset(of: [
                "addition", "addition-3", "countdown", "digit-sort", "reverse-text",
            ]))
        #expect(allRewards.contains { $0.id == "exact-match" })
    }

    @Test func idsCanBeToldApart() {
        #expect(checkRegistry(ids: allEnvironments.map { $0.id }).isEmpty)
        #expect(checkRegistry(ids: allRewards.map { $0.id }).isEmpty)
    }

    @Test(arguments: allEnvironments.map { $0.id })
    func everyEnvironmentPassesTheCheck(_ id: String) async throws {
        let type = try #require(allEnvironments.first { $0.id == id })
        #expect(await checkEnvironment(type) == [])
    }

    @Test(arguments: allEnvironments.map { $0.id })
    func unknownOptionsAreRefused(_ id: String) throws {
        let type = try #require(allEnvironments.first { $0.id == id })
        let error = #expect(throws: EnvironmentError.self) { try type.init(options: ["colour": "blue"]) }
        #expect(error?.description.contains("colour") == true)
    }
}
