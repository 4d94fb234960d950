import ArgumentParser

/// `apus weights`.
struct WeightsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights", abstract: "Publish a model's versions to an origin directory, or fetch them.",
        discussion: """
            An origin directory is plain immutable files: serve it with relay --origin, nginx, a CDN or an object store.
            """,
        subcommands: [WeightsPublishCommand.self, WeightsFetchCommand.self])
}
