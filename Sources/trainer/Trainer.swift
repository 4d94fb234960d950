import Commands

@main
struct Trainer {
    static func main() async {
        await Entry.run(TrainerCommand.self)
    }
}
