import Commands

@main
struct Verifier {
    static func main() async {
        await Entry.run(VerifierCommand.self)
    }
}
