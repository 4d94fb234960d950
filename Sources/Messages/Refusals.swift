extension Wire.Refusal {
    /// Tells a client why its message was not accepted, in words that are right on the client's side.
    public init(_ error: MessageError) {
        self.init()
        code = error.code.rawValue
        reason = error.description
        switch error.code {
        case .schemaTooOld:
            advice = "Upgrade this software: the run speaks schema \(SchemaVersion.current)."
            final = true
        case .schemaTooNew:
            advice =
                "The run speaks the older schema \(SchemaVersion.current): use software of its version, "
                + "or ask its owner to upgrade."
            final = true
        default:
            advice = "This software does not follow the schema: upgrade it, or report the fault to its authors."
            final = false
        }
    }
}
