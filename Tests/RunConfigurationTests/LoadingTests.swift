import Foundation
import Testing

@testable import RunConfiguration

struct LoadingTests {
    static let minimal = """
        [model]
        shape = "nano"
        [environment]
        name = "digit-sort"

        """

    static func load(_ texts: String..., overrides: [String] = [], defaults: String? = nil) throws -> RunFile {
        let layers = try texts.enumerated().map { try ConfigurationNode(toml: $1, source: "\($0).toml") }
        let arguments = try RunArguments(parsing: overrides)
        return try RunFile.load(
            layers: layers + arguments.overrides.map(\.node), environmentDefaults: { _ in defaults })
    }

    static func problems(_ texts: String..., overrides: [String] = []) -> [String] {
        do {
            let layers = try texts.enumerated().map { try ConfigurationNode(toml: $1, source: "\($0).toml") }
            _ = try RunFile.load(layers: layers + RunArguments(parsing: overrides).overrides.map(\.node))
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["another error: \(error)"]
        }
    }

    @Test func defaultsStand() throws {
        let file = try Self.load(Self.minimal)
        #expect(file.training.learningRate == 7e-4)
        #expect(file.training.clip == ClipSection())
        #expect(file.run.resolvedDirectory == "runs/run")
    }

    @Test func laterLayersWinAndTablesMergeDeeply() throws {
        let file = try Self.load(
            Self.minimal
                + "[training]\nsteps = 7\nclip = { low = 0.1, high = 0.3 }\n[network]\nrelays = [\"a\", \"b\"]",
            "[training]\nclip = { high = 0.4 }\n[network]\nrelays = [\"c\"]")
        #expect(file.training.steps == 7)
        #expect(file.training.clip.low == 0.1)
        #expect(file.training.clip.high == 0.4)
        #expect(file.network.relays == ["c"])
    }

    @Test func environmentDefaultsLieBelowTheFile() throws {
        let defaults = "[training]\nsteps = 100\nlearning_rate = 1e-3\n[sampling]\nmax_tokens = 6\n"
        let file = try Self.load(Self.minimal + "[training]\nsteps = 3\n", defaults: defaults)
        #expect(file.training.steps == 3)
        #expect(file.training.learningRate == 1e-3)
        #expect(file.sampling.maxTokens == 6)
    }

    @Test func integersAreNumbers() throws {
        #expect(try Self.load(Self.minimal + "[training]\nlearning_rate = 1\n").training.learningRate == 1)
        #expect(Self.problems(Self.minimal + "[training]\nsteps = 1.5\n").count == 1)
    }

    @Test func overridesWinInEitherCase() throws {
        let file = try Self.load(
            Self.minimal,
            overrides: [
                "--training.learning-rate", "1e-4", "--run.name", "2026", "--network.host=0.0.0.0",
                "--training.betas", "[0.8, 0.9]", "--sampling.allow_filters", "--model.shape", "tiny",
                "--environment.options.digits", "3",
            ])
        #expect(file.training.learningRate == 1e-4)
        #expect(file.run.name == "2026")
        #expect(file.network.host == "0.0.0.0")
        #expect(file.training.betas == [0.8, 0.9])
        #expect(file.sampling.allowFilters)
        #expect(file.model.shape == .tiny)
        #expect(file.environment.options["digits"]?.integer == 3)
    }

    @Test func adaptersAreOffUntilTheyHaveARank() throws {
        #expect(try !Self.load(Self.minimal).training.lora.isOn)
        let file = try Self.load(
            Self.minimal + "[training.lora]\nrank = 16\nalpha = 32\ntarget_modules = [\"q_proj\", \"v_proj\"]\n")
        #expect(file.training.lora.isOn && file.training.lora.alpha == 32)
        #expect(file.training.lora.targetModules == ["q_proj", "v_proj"] && !file.warmUp.lora.isOn)
        let wrong = Self.problems(Self.minimal + "[training.lora]\nrank = 4\ntarget_modules = [\"q_prj\"]\n")
        #expect(wrong.count == 1 && wrong[0].contains("q_proj?") && wrong[0].contains("training.lora.target_modules"))
        #expect(Self.problems(Self.minimal + "[training.lora]\nrank = 4\ntarget_modules = []\n").count == 1)
        #expect(Self.problems(Self.minimal + "[training.lora]\nrank = 2000\n").count == 1)
        #expect(Self.problems(Self.minimal + "[warm_up.lora]\nrank = 2\ntarget_modules = [\"lm_head\"]\n").count == 1)
    }

    @Test func noneRemovesWhatALayerSet() throws {
        let file = try Self.load(Self.minimal, overrides: ["--model.path", "models/a", "--model.shape", "none"])
        #expect(file.model.path == "models/a")
        #expect(file.model.shape == nil)
    }

    @Test func unknownKeysNameTheNearestAndTheLine() {
        let found = Self.problems(Self.minimal + "[training]\nlerning_rate = 1\n[trainning]\nsteps = 1\n")
        #expect(found.count == 2)
        #expect(found.contains { $0.contains("0.toml:6: training.lerning_rate") && $0.contains("learning_rate?") })
        #expect(found.contains { $0.contains("0.toml:7: trainning") && $0.contains("training?") })
    }

    @Test func everyProblemIsListed() {
        let found = Self.problems(
            Self.minimal,
            """
            [training]
            steps = "many"
            objective = "ppo"
            betas = [0.9]
            [sampling]
            temperature = -1
            colour = "blue"
            """)
        #expect(found.count == 5)
        #expect(found.contains { $0.contains("\"clip\", \"mask\"") && $0.contains("\"ppo\"") })
        #expect(found.contains { $0.contains("1.toml:2: training.steps") && $0.contains("not \"many\"") })
    }

    @Test(arguments: [
        ("[sampling]\ntop_k = 5\n", "allow_filters"), ("[training]\npace = 5\n", "pace"),
        ("[swarm]\ndishonest = 4\n", "dishonest"), ("[admission]\nmode = \"list\"\n", "admission.keys"),
        ("[sampling]\ngroup_size = 1\n", "group_size"), ("[run]\nname = \"../x\"\n", "run.name"),
        ("[sampling]\ntemperature = 0\n", "temperature"),
        ("[network]\norchestrator_port = 7000\nrelay_port = 7000\n", "ports"),
    ])
    func rulesBetweenSettingsHold(_ text: String, _ word: String) {
        let found = Self.problems(Self.minimal + text)
        #expect(found.count == 1)
        #expect(found.allSatisfy { $0.contains(word) })
    }

    @Test func filtersAreAllowedWhenAskedFor() throws {
        #expect(try Self.load(Self.minimal + "[sampling]\ntop_k = 5\nallow_filters = true\n").sampling.topK == 5)
        #expect(try Self.load(Self.minimal + "[sampling]\ntop_k = 5\n[training]\nsteps = 0\n").sampling.topK == 5)
    }

    @Test func aRunNeedsAModelAndAnEnvironment() {
        #expect(Self.problems("").count == 2)
        #expect(Self.problems(Self.minimal + "[run]\n", overrides: ["--model.path", "x"]).count == 1)
    }

    @Test func missingFilesAreNamedTogether() {
        let error = #expect(throws: ConfigurationError.self) {
            try RunFile.load(files: ["/nowhere/a.toml", "/nowhere/b.toml"])
        }
        #expect(error?.problems.count == 2)
    }

    @Test func differencesNameTheKeys() throws {
        let first = try Self.load(Self.minimal)
        let second = try Self.load(Self.minimal, overrides: ["--training.clip.low", "0.1", "--run.seed", "4"])
        #expect(first.differences(from: second) == ["run.seed", "training.clip.low"])
        #expect(first.differences(from: first).isEmpty)
    }

    @Test func theWrittenRunLoadsAsTheSameRun() throws {
        let file = try Self.load(
            Self.minimal + "[environment.options]\npath = \"a \\\"b\\\"\\n\"\nlist = [1, 2.5, true]\n",
            overrides: ["--training.learning_rate", "1.2345678e-5", "--run.seed", "9223372036854775807"])
        #expect(try Self.load(file.toml) == file)
        #expect(try RunFile.load(layers: [ConfigurationNode(json: file.json, source: "run.json")]) == file)
    }
}
