import Commands

@main
struct Orchestrator {
    static func main() async {
        await Entry.run(OrchestratorCommand.self)
    }
}
