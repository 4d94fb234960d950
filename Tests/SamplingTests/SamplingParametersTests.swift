import Testing

@testable import Sampling

@Suite struct SamplingParametersTests {
    private func failure(allowFilters: Bool = true, _ edit: (inout SamplingParameters) -> Void) -> SamplingError? {
        var parameters = SamplingParameters(samples: 8, maximumTokens: 10, stopTokens: [10])
        edit(&parameters)
        do throws(SamplingError) {
            try parameters.validate(vocabularySize: 128, allowFilters: allowFilters)
            return nil
        } catch {
            return error
        }
    }

    private func name(_ edit: (inout SamplingParameters) -> Void) -> String? {
        if case .invalidParameter(let name, _, _) = failure(edit) { return name }
        return nil
    }

    @Test func ordinaryParametersPass() {
        #expect(failure(allowFilters: false) { _ in } == nil)
        #expect(failure { $0.temperature = 0 } == nil)
        #expect(failure { ($0.topK, $0.topP, $0.minP) = (5, 0.9, 0.1) } == nil)
        #expect(failure(allowFilters: false) { $0.topP = 0 } == nil, "0 on the wire means off")
    }

    @Test func eachParameterIsNamed() {
        #expect(name { $0.samples = 0 } == "samples")
        #expect(name { $0.samples = 70000 } == "samples")
        #expect(name { $0.maximumTokens = 0 } == "max_tokens")
        for bad in [-1, 0.001, 1000, .infinity, .nan] as [Float] {
            #expect(name { $0.temperature = bad } == "temperature")
        }
        #expect(name { $0.topK = -1 } == "top_k")
        for bad in [-0.1, 1.1, .nan] as [Float] {
            #expect(name { $0.topP = bad } == "top_p")
            #expect(name { $0.minP = bad } == "min_p")
        }
        #expect(name { $0.stopTokens = [128] } == "stop_tokens")
        #expect(name { $0.stopTokens = [-1] } == "stop_tokens")
    }

    @Test func filtersNeedLeave() {
        #expect(failure(allowFilters: false) { $0.topK = 5 } == .filtersNotAllowed)
        #expect(failure(allowFilters: false) { $0.topP = 0.9 } == .filtersNotAllowed)
        #expect(failure(allowFilters: false) { $0.minP = 0.1 } == .filtersNotAllowed)
    }
}
