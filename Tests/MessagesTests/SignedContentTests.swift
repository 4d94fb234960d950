import Messages
import Testing

@Suite struct SignedContentTests {
    @Test func contentsAreWhatTheSchemaSays() {
        #expect(SignedContent.hello(runID: [1, 2], curveKey: [3]) == [1, 2, 3])
        #expect(
            SignedContent.receipt(runID: [1], groupHash: [2], workerKey: [3], leaseID: 0x0102)
                == [1, 2, 3, 2, 1, 0, 0, 0, 0, 0, 0])
        #expect(SignedContent.audit(auditID: 7, groupID: [1], samplesHash: [2]) == [7, 0, 0, 0, 0, 0, 0, 0, 1, 2])
    }

    /// The orchestrator signs and checks what it decoded, the verifier what it made: both must get the same bytes.
    @Test func auditSamplesSurviveTheJourney() throws {
        let envelope = ClientEnvelope(id: 1, .auditReport(Examples.auditReport))
        let read = try ClientEnvelope(frames: envelope.frames)
        let samples = SignedContent.auditSamples(Examples.auditReport.samples)
        #expect(SignedContent.auditSamples(read.header.auditReport.samples) == samples)
        #expect(!samples.isEmpty)
        var other = Examples.auditReport.samples
        other[0].replayedTokens[0] += 1
        #expect(SignedContent.auditSamples(other) != samples)
    }
}
