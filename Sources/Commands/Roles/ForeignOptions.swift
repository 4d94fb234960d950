import ArgumentParser
import Roles

extension ForeignEngine.Kind: ExpressibleByArgument {}

/// The options of a worker whose groups a completions server generates.
struct ForeignOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What generates, if not Apus: openai, a completions server that returns token ids and hidden states. Every group is audited, by TOPLOC.",
            valueName: "name"))
    var engine: ForeignEngine.Kind?

    @Option(help: ArgumentHelp("The server's base address, for example http://127.0.0.1:8000/v1.", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("The name under which the server knows the model.", valueName: "name"))
    var servedModel: String?

    @Option(parsing: .unconditional, help: "Groups at the server at once.")
    var requests: Int = 4

    @Option(parsing: .unconditional, help: "Seconds that the server has for a group.")
    var serverTimeout: Int = 600

    func validate() throws {
        if engine == nil, server != nil || servedModel != nil {
            throw ValidationError("--server and --served-model go with --engine openai.")
        }
        if engine != nil, server == nil || servedModel == nil {
            throw ValidationError("--engine needs --server URL and --served-model NAME.")
        }
        guard (1...256).contains(requests) else { throw ValidationError("--requests must be between 1 and 256.") }
        guard (1...86_400).contains(serverTimeout) else {
            throw ValidationError("--server-timeout must be between 1 and 86400 seconds.")
        }
    }

    /// The server that was named; nil for the engine of Apus.
    func namedEngine() throws -> ForeignEngine? {
        guard let engine, let server, let servedModel else { return nil }
        return try ForeignEngine(
            kind: engine, server: server, model: servedModel, requests: requests, timeoutSeconds: serverTimeout)
    }
}
