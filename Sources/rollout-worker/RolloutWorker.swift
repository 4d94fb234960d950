import Commands

@main
struct RolloutWorker {
    static func main() async {
        await Entry.run(RolloutWorkerCommand.self)
    }
}
