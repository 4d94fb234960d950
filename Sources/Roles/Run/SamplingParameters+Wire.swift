import Messages
import Sampling

extension SamplingParameters {
    /// The parameters as they stand in leases, groups and audits.
    var wire: Wire.SamplingParameters {
        var message = Wire.SamplingParameters()
        message.samples = UInt32(clamping: samples)
        message.maxTokens = UInt32(clamping: maximumTokens)
        message.temperature = temperature
        message.topK = UInt32(clamping: topK)
        message.topP = topP
        message.minP = minP
        message.stopTokens = stopTokens.map(UInt32.init(bitPattern:))
        return message
    }

    /// The parameters that a message names.
    init(_ message: Wire.SamplingParameters) {
        self.init(
            samples: Int(message.samples), maximumTokens: Int(message.maxTokens), temperature: message.temperature,
            topK: Int(message.topK), topP: message.topP, minP: message.minP,
            stopTokens: message.stopTokens.map(Int32.init(bitPattern:)))
    }
}
