/// What a crash must respect from a moment on, and what happened then.
public struct FilePromise: Sendable, CustomStringConvertible {
  public let description: String
  let states: ExpectedStates
}
