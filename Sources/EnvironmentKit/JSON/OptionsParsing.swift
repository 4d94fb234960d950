extension EnvironmentOptions {
    /// Options from the JSON of a table, as the run configuration writes it.
    public init(json: String) throws {
        guard case .object(let members) = try JSONValue(parsing: json) else {
            throw EnvironmentError(.option, at: "environment.options", "the options must be a table")
        }
        self = members
    }
}
