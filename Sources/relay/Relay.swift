import Commands

@main
struct Relay {
    static func main() async {
        await Entry.run(RelayCommand.self)
    }
}
