/// What the page cache holds of the chosen files when the program starts.
public enum CacheStart: String, Sendable, CaseIterable {
  /// Nothing.
  case cold
  /// Every page.
  case warm
  /// What it held when the recording started; files whose residency the kernel does not tell count as fully resident.
  case asIs = "asis"
}
