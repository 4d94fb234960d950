import Commands

@main
struct Apus {
    static func main() async {
        await Entry.run(ApusCommand.self)
    }
}
